// SPDX-License-Identifier: BSD-3-Clause
//
// Can this machine, and this process, start the device? Asked before DPDK, whose answers no
// operator understands: every refusal is one sentence with its cure. Main thread, at start.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/device.h"

// AF_XDP keeps a frame in a 4 KiB page beside its headroom.
#define DEVICE_AFXDP_MTU_MAX 3498

// Interface there and up, capabilities, MTU, driver installed. 0, or -ENODEV, -ENETDOWN, -EPERM,
// -EMSGSIZE, -ENOENT with one sentence in 'why'.
int device_check(const struct device_spec *spec, char *why, size_t why_size)
	__attribute__((warn_unused_result));

// Queues of the kernel's driver of 'interface'; 1 where it does not tell.
struct device_queues {
	unsigned receiving; // that packets arrive on
	unsigned served;    // that DPDK's AF_XDP driver can open: combined ones, or just the first
};
struct device_queues device_queues(const char *interface);
