// SPDX-License-Identifier: BSD-3-Clause
//
// See machine.h. What cannot be read is "unknown".
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void read_cpu(char *text)
{
	static const char key[] = "model name";
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(text, MACHINE_TEXT_SIZE, "unknown");
	if (file == NULL) {
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *value = strchr(line, ':');

		if (strncmp(line, key, sizeof(key) - 1) != 0 || value == NULL) {
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		value += 1 + strspn(value + 1, " ");
		snprintf(text, MACHINE_TEXT_SIZE, "%s", value);
		break;
	}
	fclose(file);
}

void machine_read(struct machine *m)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname kernel;

	read_cpu(m->cpu);
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
