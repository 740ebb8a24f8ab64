// SPDX-License-Identifier: BSD-3-Clause
//
// See eal_log.h.

#include "host/eal_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <rte_log.h>

#include "host/host_log.h"

#define EAL_LOG_LINE_SIZE 256

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static char last[EAL_LOG_LINE_SIZE];

static ssize_t take(void *cookie, const char *bytes, size_t size)
{
	char line[EAL_LOG_LINE_SIZE];
	size_t line_size = size < sizeof(line) ? size : sizeof(line) - 1;

	(void)cookie;
	memcpy(line, bytes, line_size);
	while (line_size > 0 && (line[line_size - 1] == '\n' || line[line_size - 1] == ' '))
		line_size--;
	line[line_size] = '\0';
	if (line_size == 0)
		return (ssize_t)size;
	host_log_plain(line);
	pthread_mutex_lock(&last_lock);
	memcpy(last, line, line_size + 1);
	pthread_mutex_unlock(&last_lock);
	host_log(HOST_LOG_WARN, "DPDK says", "text=\"%s\"", line);
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
