// SPDX-License-Identifier: BSD-3-Clause
//
// See eal_log.h.

#include "host/eal_log.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <rte_log.h>

#include "host/host_log.h"

#define EAL_LOG_LINE_SIZE 256

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static char last[EAL_LOG_LINE_SIZE];

// Said at each start by drivers that go on without what they missed; users would take it for
// faults.
static const char *const harmless[] = {
	"tap_nl_dump_ext_ack()",    // the kernel has no multiq qdisc:
	"qdisc_create_multiq()",    // no rte_flow rules on a tap,
	"eth_dev_tap_create()",     // which nobody asks for
	"tap_mp_req_on_rxtx()",     // there is no second process
	"libxdp: No bpffs",         // needed to share the interface with other XDP programs
	"libxdp: Can't use disp",   //
	"libxdp: Falling back to ", //
};

static bool is_harmless(const char *line)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (strncmp(line, harmless[i], strlen(harmless[i])) == 0)
			return true;
	}
	return false;
}

static void take_line(const char *bytes, size_t size)
{
	struct host_log_text quoted;
	char line[EAL_LOG_LINE_SIZE];
	size_t line_size = size < sizeof(line) ? size : sizeof(line) - 1;

	memcpy(line, bytes, line_size);
	while (line_size > 0 && (line[line_size - 1] == '\n' || line[line_size - 1] == ' '))
		line_size--;
	line[line_size] = '\0';
	if (line_size == 0)
		return;
	if (is_harmless(line)) {
		host_log(HOST_LOG_DEBUG, "DPDK says", "text=%s", host_log_quote(&quoted, line));
		return;
	}
	pthread_mutex_lock(&last_lock);
	memcpy(last, line, line_size + 1);
	pthread_mutex_unlock(&last_lock);
	host_log(HOST_LOG_WARN, "DPDK says", "text=%s", host_log_quote(&quoted, line));
}

static ssize_t take(void *cookie, const char *bytes, size_t size)
{
	(void)cookie;
	take_line(bytes, size);
	return (ssize_t)size;
}

int eal_log_open(void)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = take});

	if (stream == NULL)
		return -errno;
	setvbuf(stream, NULL, _IOLBF, EAL_LOG_LINE_SIZE);
	return rte_openlog_stream(stream) == 0 ? 0 : -EIO;
}

// Of libbpf and libxdp alike; 'level' 0 is a warning, above is chatter.
typedef int bpf_print_fn(int level, const char *format, va_list list);

__attribute__((format(printf, 2, 0))) static int take_bpf(
	int level, const char *format, va_list list)
{
	char line[EAL_LOG_LINE_SIZE];
	int size = level > 0 ? 0 : vsnprintf(line, sizeof(line), format, list);

	if (size > 0)
		take_line(line, strnlen(line, sizeof(line)));
	return size;
}

void eal_log_open_bpf(void)
{
	static const char *const places[][2] = {
		{"libbpf.so.1", "libbpf_set_print"},
		{"libxdp.so.1", "libxdp_set_print"},
	};

	for (unsigned i = 0; i < 2; i++) {
		bpf_print_fn *(*set_print)(bpf_print_fn * print);
		void *library = dlopen(places[i][0], RTLD_NOW | RTLD_NOLOAD);

		if (library == NULL)
			continue;
		*(void **)&set_print = dlsym(library, places[i][1]);
		if (set_print != NULL)
			(void)set_print(take_bpf);
		dlclose(library);
	}
}

void eal_log_last(char *text, size_t text_size)
{
	pthread_mutex_lock(&last_lock);
	snprintf(text, text_size, "%s", last);
	pthread_mutex_unlock(&last_lock);
}

void eal_log_forget(void)
{
	pthread_mutex_lock(&last_lock);
	last[0] = '\0';
	pthread_mutex_unlock(&last_lock);
}
