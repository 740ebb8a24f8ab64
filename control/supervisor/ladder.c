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

const char *ladder_afxdp_obstacle(const struct ladder_facts *facts)
{
	if (facts->kernel < LADDER_KERNEL(5, 10))
		return "kernel older than 5.10";
	if (facts->mtu > LADDER_XDP_MTU_MAX)
		return "MTU above 3498";
	if (facts->queues > facts->workers) // media on the others would reach nobody
		return "more queues than workers";
	if (facts->foreign_xdp)
		return "another XDP program is attached";
	if (!facts->cap_sys_admin)
		return "no CAP_SYS_ADMIN";
	if (!facts->cap_ipc_lock)
		return "no CAP_IPC_LOCK";
	return NULL;
}

enum rung ladder_choose(const struct ladder_facts *facts, enum rung from, char *note)
{
	const char *obstacle = ladder_afxdp_obstacle(facts);

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
