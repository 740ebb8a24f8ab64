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

// Queue pairs that the kernel's driver of 'interface' has now; 1 where it does not tell.
unsigned device_channel_count(const char *interface);
