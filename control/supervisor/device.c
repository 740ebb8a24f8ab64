// SPDX-License-Identifier: BSD-3-Clause
//
// What a kind of device is called, and whether the kernel has it, too; see plan.h. Pure.
#include "supervisor/plan.h"

static const char *const device_names[] = {
	[CONFIG_DEVICE_AUTO] = "auto",
	[CONFIG_DEVICE_AFXDP] = "afxdp",
	[CONFIG_DEVICE_AFPACKET] = "afpacket",
	[CONFIG_DEVICE_TAP] = "tap",
	[CONFIG_DEVICE_PCI] = "pci",
	[CONFIG_DEVICE_MEMIF] = "memif",
	[CONFIG_DEVICE_NULL] = "null",
};

const char *device_kind_name(enum config_device_kind kind)
{
	return device_names[kind];
}

bool device_is_shared(enum config_device_kind kind)
{
	return kind == CONFIG_DEVICE_AFXDP || kind == CONFIG_DEVICE_AFPACKET;
}
