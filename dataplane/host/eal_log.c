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
static char last_bpf[EAL_LOG_LINE_SIZE];

// Said at each start by drivers that go on without what they missed; users would take it for
// faults.
static const char *const harmless[] = {
	"tap_nl_dump_ext_ack()",    // the kernel has no multiq qdisc:
	"qdisc_create_multiq()",    // no rte_flow rules on a tap,
	"eth_dev_tap_create()",     // which nobody asks for
	"tap_mp_req_on_rxtx()",     // there is no second process
	"libxdp: No bpffs",         // needed to share the interface with other XDP programs
	"libxdp: Can't use disp",   //
	"libxdp: Falling back to",  //
	"libxdp: Another XSK sock", // it will not detach the supervisor's program: as it should be
	"libbpf: ",                 // libxdp tries one way after the other
};

static bool is_harmless(const char *line)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (strncmp(line, harmless[i], strlen(harmless[i])) == 0)
			return true;
	}
	return false;
}

// Copies one message without its line feed, and keeps it in 'keep' unless it is harmless. Returns
// the level that it deserves.
static enum host_log_level take_line(const char *bytes, size_t size, char *line, char *keep)
{
	size_t line_size = size < EAL_LOG_LINE_SIZE ? size : EAL_LOG_LINE_SIZE - 1;

	memcpy(line, bytes, line_size);
	while (line_size > 0 && (line[line_size - 1] == '\n' || line[line_size - 1] == ' '))
		line_size--;
	line[line_size] = '\0';
	if (line_size == 0 || is_harmless(line))
		return HOST_LOG_DEBUG;
	pthread_mutex_lock(&last_lock);
	memcpy(keep, line, line_size + 1);
	pthread_mutex_unlock(&last_lock);
	return HOST_LOG_WARN;
}

static ssize_t take(void *cookie, const char *bytes, size_t size)
{
	struct host_log_text quoted;
	char line[EAL_LOG_LINE_SIZE], chatter[EAL_LOG_LINE_SIZE];
	bool is_chatter = rte_log_cur_msg_loglevel() > (int)RTE_LOG_WARNING;
	enum host_log_level level = take_line(bytes, size, line, is_chatter ? chatter : last);

	(void)cookie;
	host_log(is_chatter ? HOST_LOG_DEBUG : level, "DPDK says", "text=%s",
		host_log_quote(&quoted, line));
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
	struct host_log_text quoted;
	char text[EAL_LOG_LINE_SIZE], line[EAL_LOG_LINE_SIZE];
	int size = vsnprintf(text, sizeof(text), format, list);

	if (size > 0 && level == 0) {
		enum host_log_level ours =
			take_line(text, strnlen(text, sizeof(text)), line, last_bpf);

		host_log(ours, "libxdp says", "text=%s", host_log_quote(&quoted, line));
	}
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

void eal_log_last_bpf(char *text, size_t text_size)
{
	pthread_mutex_lock(&last_lock);
	snprintf(text, text_size, "%s", last_bpf);
	pthread_mutex_unlock(&last_lock);
}

void eal_log_forget(void)
{
	pthread_mutex_lock(&last_lock);
	last[0] = '\0';
	last_bpf[0] = '\0';
	pthread_mutex_unlock(&last_lock);
}
