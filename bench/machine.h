// SPDX-License-Identifier: BSD-3-Clause
//
// What a number was measured on. Any thread, no DPDK.
#pragma once

#include <stdbool.h>

#define MACHINE_TEXT_SIZE 80

struct machine {
	char cpu[MACHINE_TEXT_SIZE];      // "AMD EPYC"
	char kernel[MACHINE_TEXT_SIZE];   // "6.1.0"
	char compiler[MACHINE_TEXT_SIZE]; // that built this program
	unsigned core_count;              // online
	bool is_virtual;                  // a hypervisor says so
	double load_average;              // of the last minute
};

void machine_read(struct machine *m);
