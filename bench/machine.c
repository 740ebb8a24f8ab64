// SPDX-License-Identifier: BSD-3-Clause
//
// See machine.h. What cannot be read is "unknown".
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void read_cpu(struct machine *m)
{
	static const char key[] = "model name", flags[] = "flags";
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];

	snprintf(m->cpu, sizeof(m->cpu), "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		const char *value = strchr(line, ':');

		if (value == NULL) {
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		value += 1 + strspn(value + 1, " ");
		if (strncmp(line, key, sizeof(key) - 1) == 0) {
			snprintf(m->cpu, sizeof(m->cpu), "%s", value);
		} else if (strncmp(line, flags, sizeof(flags) - 1) == 0) {
			m->is_virtual = strstr(value, " hypervisor") != NULL;
			break; // the other processors say the same
		}
	}
	if (file != NULL) {
		fclose(file);
	}
}

void machine_read(struct machine *m)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname kernel;

	*m = (struct machine){0};
	read_cpu(m);
	if (getloadavg(&m->load_average, 1) != 1) {
		m->load_average = 0;
	}
	m->core_count = cores > 0 ? (unsigned)cores : 0;
	snprintf(m->kernel, sizeof(m->kernel), "%s",
		uname(&kernel) == 0 ? kernel.release : "unknown");
#ifdef __clang__
	snprintf(m->compiler, sizeof(m->compiler), "clang %d.%d.%d", __clang_major__,
		__clang_minor__, __clang_patchlevel__);
#else
	snprintf(m->compiler, sizeof(m->compiler), "gcc %s", __VERSION__);
#endif
}
