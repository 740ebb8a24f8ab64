// SPDX-License-Identifier: BSD-3-Clause
//
// See ladder.h. The bounds were measured: takeover.md section 3 and ecosystem.md section 5.
#include "supervisor/ladder.h"

#include <stdio.h>
#include <string.h>

// Drivers whose device stays the kernel's while DPDK takes what its flow rules name.
static bool driver_is_bifurcated(const char *driver)
{
	return strcmp(driver, "mlx5_core") == 0;
}

const char *ladder_rung_name(enum rung rung)
{
	static const char *const names[] = {
		[RUNG_PCI] = "pci",
		[RUNG_AFXDP] = "af_xdp",
		[RUNG_AFPACKET] = "af_packet",
		[RUNG_NONE] = "none",
	};
	return names[rung];
}

// The queues that AF_XDP sockets can be had on. Media on the others would reach nobody.
static uint32_t queues_served(const struct ladder_facts *facts)
{
	uint32_t opened = facts->combined > 0 ? facts->combined : 1;

	return opened < facts->workers ? opened : facts->workers;
}

// A few words, which fit into a note; NULL: AF_XDP can be had.
static const char *afxdp_obstacle(const struct ladder_facts *facts)
{
	if (facts->kernel < LADDER_KERNEL(5, 10))
		return "kernel older than 5.10";
	if (facts->mtu > LADDER_XDP_MTU_MAX)
		return "MTU above 3498";
	if (facts->queues > queues_served(facts))
		return facts->combined > 0 ? "more queues than workers" : "rx queues not combined";
	if (facts->foreign_xdp)
		return "another XDP program is attached";
	if (!facts->cap_sys_admin)
		return "no CAP_SYS_ADMIN";
	if (!facts->cap_ipc_lock)
		return "no CAP_IPC_LOCK";
	return NULL;
}

static bool afxdp_refuses(const struct ladder_facts *facts, const char *interface, char *why)
{
	const char *obstacle = afxdp_obstacle(facts);
	uint32_t served = queues_served(facts);

	if (obstacle == NULL)
		return false;
	if (facts->kernel < LADDER_KERNEL(5, 10))
		snprintf(why, LADDER_WHY_SIZE, "the kernel is older than 5.10");
	else if (facts->mtu > LADDER_XDP_MTU_MAX)
		snprintf(why, LADDER_WHY_SIZE,
			"%s has MTU %u, AF_XDP takes at most %u: ip link set %s mtu 1500",
			interface, facts->mtu, LADDER_XDP_MTU_MAX, interface);
	else if (facts->queues > served)
		snprintf(why, LADDER_WHY_SIZE,
			"%s receives on %u queues, and AF_XDP can serve %u of them with %u "
			"worker%s%s: "
			"ethtool -L %s %s %u",
			interface, facts->queues, served, facts->workers,
			facts->workers == 1 ? "" : "s",
			facts->combined > 0 ? "" : " (only combined queues, or else the first)",
			interface, facts->combined > 0 ? "combined" : "rx", served);
	else if (facts->foreign_xdp)
		snprintf(why, LADDER_WHY_SIZE,
			"another XDP program is attached to %s: ip link set dev %s xdp off",
			interface, interface);
	else
		snprintf(why, LADDER_WHY_SIZE, "%s: run as root, or give it to the service",
			obstacle);
	return true;
}

bool ladder_refuses(
	const struct ladder_facts *facts, enum rung rung, const char *interface, char *why)
{
	if (rung == RUNG_AFXDP)
		return afxdp_refuses(facts, interface, why);
	if (rung != RUNG_PCI)
		return false;
	if (facts->pci_address[0] == 0)
		snprintf(why, LADDER_WHY_SIZE, "%s is no PCI device", interface);
	else if (!driver_is_bifurcated(facts->driver))
		snprintf(why, LADDER_WHY_SIZE,
			"the driver %s does not share its port with DPDK; device = \"pci:%s\" "
			"takes "
			"it whole",
			facts->driver, facts->pci_address);
	else
		return false;
	return true;
}

enum rung ladder_choose(const struct ladder_facts *facts, enum rung from, char *note)
{
	const char *obstacle = afxdp_obstacle(facts);

	if (from <= RUNG_PCI && driver_is_bifurcated(facts->driver) && facts->pci_address[0] != 0) {
		snprintf(note, LADDER_NOTE_SIZE,
			"pci beside the kernel (%s), flow rules; not run on hardware",
			facts->driver);
		return RUNG_PCI;
	}
	if (from <= RUNG_AFXDP && obstacle == NULL) {
		snprintf(note, LADDER_NOTE_SIZE,
			"af_xdp, media only; one copy and software steering per packet");
		return RUNG_AFXDP;
	}
	if (from <= RUNG_AFPACKET) {
		snprintf(note, LADDER_NOTE_SIZE,
			"af_packet, drops uncounted, a call per burst; no af_xdp: %s",
			obstacle != NULL ? obstacle : "it did not start");
		return RUNG_AFPACKET;
	}
	note[0] = 0;
	return RUNG_NONE;
}
