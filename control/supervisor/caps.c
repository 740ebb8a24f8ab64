// SPDX-License-Identifier: BSD-3-Clause
//
// See caps.h. What each driver needs was measured (ecosystem.md, finding 6).
#include "supervisor/caps.h"

#include <errno.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CAPS_MAX 4
#define CAPS_COUNT 5 // in the table below

static const struct {
	int capability;
	const char *name;
} cap_names[CAPS_COUNT] = {
	{CAP_NET_RAW, "CAP_NET_RAW"},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{CAP_IPC_LOCK, "CAP_IPC_LOCK"},
	{CAP_SYS_RAWIO, "CAP_SYS_RAWIO"},
};

static const struct {
	int needed[CAPS_MAX];
	unsigned count;
} device_caps[CONFIG_DEVICE_NULL + 1] = {
	[CONFIG_DEVICE_AUTO] = {{CAP_NET_RAW, CAP_NET_ADMIN}, 2},
	[CONFIG_DEVICE_PCI] = {{CAP_NET_RAW, CAP_NET_ADMIN, CAP_IPC_LOCK, CAP_SYS_RAWIO}, 4},
	// libxdp opens the program that we attached by its id, which CAP_BPF does not allow.
	[CONFIG_DEVICE_AFXDP] = {{CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_IPC_LOCK}, 4},
	[CONFIG_DEVICE_AFPACKET] = {{CAP_NET_RAW, CAP_NET_ADMIN}, 2},
	[CONFIG_DEVICE_TAP] = {{CAP_NET_ADMIN}, 1},
};

bool caps_have(int capability)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (caps == NULL)
		return false;
	(void)cap_get_flag(caps, capability, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return value == CAP_SET;
}

static const char *cap_name(int capability)
{
	for (unsigned i = 0; i < CAPS_COUNT; i++) {
		if (cap_names[i].capability == capability)
			return cap_names[i].name;
	}
	return "?";
}

int caps_check(enum config_device_kind kind, char *error, size_t error_size)
{
	for (unsigned i = 0; i < device_caps[kind].count; i++) {
		int capability = device_caps[kind].needed[i];
		if (caps_have(capability))
			continue;
		snprintf(error, error_size,
			"network.device: %s needs %s: run as root, or give it to the service"
			" (systemd: AmbientCapabilities=%s)",
			device_kind_name(kind), cap_name(capability), cap_name(capability));
		return -EPERM;
	}
	return 0;
}

void caps_raise_memlock(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

bool caps_memlock_is_free(void)
{
	struct rlimit limit;

	return caps_have(CAP_IPC_LOCK) ||
	       (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
}

int caps_keep_over_exec(void)
{
	if (geteuid() == 0)
		return 0;

	cap_t caps = cap_get_proc();
	if (caps == NULL)
		return -errno;
	for (unsigned i = 0; i < CAPS_COUNT; i++) {
		cap_value_t capability = cap_names[i].capability;
		cap_flag_value_t permitted = CAP_CLEAR;
		(void)cap_get_flag(caps, capability, CAP_PERMITTED, &permitted);
		if (permitted == CAP_SET)
			(void)cap_set_flag(caps, CAP_INHERITABLE, 1, &capability, CAP_SET);
	}
	int result = cap_set_proc(caps) == 0 ? 0 : -errno;
	cap_free(caps);
	for (unsigned i = 0; result == 0 && i < CAPS_COUNT; i++) {
		if (caps_have(cap_names[i].capability))
			(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap_names[i].capability,
				0, 0);
	}
	return result;
}
