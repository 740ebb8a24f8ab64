// SPDX-License-Identifier: BSD-3-Clause
//
// Which device `auto:IFACE` becomes: a DPDK port beside the kernel (bifurcated drivers), AF_XDP
// with our steering program, or AF_PACKET with one nftables rule. Pure: facts in, a rung and a
// sentence out. facts.c gathers the facts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LADDER_NOTE_SIZE 96     // fits the 'rung' field of struct dp_device
#define LADDER_WHY_SIZE 256     // bytes of a sentence about one rung
#define LADDER_XDP_MTU_MAX 3498 // what a 4 KiB page holds beside headroom and frame header
#define LADDER_KERNEL(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))

// From the best to the one that always works.
enum rung {
	RUNG_PCI,
	RUNG_AFXDP,
	RUNG_AFPACKET,
	RUNG_NONE, // below the last
};

struct ladder_facts {
	char driver[32];      // kernel driver of the interface, "" if it has none
	char pci_address[16]; // "0000:3b:00.0", "" for what is no PCI device
	uint32_t mtu;         // bytes of IP
	uint32_t kernel;      // LADDER_KERNEL()
	uint32_t queues;      // that the interface receives on
	uint32_t combined; // of them; AF_XDP opens these, and where there are none just the first
	uint32_t workers;  // each has a socket on one queue
	bool cap_sys_admin;
	bool cap_ipc_lock; // or no limit on locked memory
	bool foreign_xdp;  // somebody else's XDP program is attached
};

// Takes the best rung that is not above 'from' and that the facts allow. Writes why, and what it
// costs, to 'note' (LADDER_NOTE_SIZE). 'from' = RUNG_NONE gives RUNG_NONE.
enum rung ladder_choose(const struct ladder_facts *facts, enum rung from, char *note);

// One sentence about why 'rung' cannot be had on 'interface', with the cure where there is one, in
// 'why' (LADDER_WHY_SIZE): true. False if it can.
bool ladder_refuses(
	const struct ladder_facts *facts, enum rung rung, const char *interface, char *why);

// "pci", "af_xdp", "af_packet".
const char *ladder_rung_name(enum rung rung);
