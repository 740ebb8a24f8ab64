// SPDX-License-Identifier: BSD-3-Clause
//
// What a node runs with, resolved: `host` became addresses, `auto` a device, the certificate (given
// or of our own authority) a path. Made by plan.c from voicenode.cfg and the machine; read by
// everything else in this folder. Nothing here changes while the node runs, but for the device's
// rung.
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "config/config.h"
#include "supervisor/ladder.h"
#include "tls/tls_files.h"

#define PLAN_NAME_SIZE 64      // bytes of an instance's name
#define PLAN_PATH_SIZE 4096    // bytes of a path
#define PLAN_ENDPOINT_SIZE 300 // bytes of "host:port"

struct plan_address {
	char text[INET6_ADDRSTRLEN];
	uint8_t prefix;    // bits
	uint8_t family;    // AF_INET, AF_INET6
	uint8_t bytes[16]; // IPv4 as ::ffff:a.b.c.d
};

struct node_plan {
	const struct node_config *config; // outlives the plan
	char config_path[PLAN_PATH_SIZE]; // absolute
	char instance[PLAN_NAME_SIZE];

	enum config_device_kind device;     // AUTO only until the ladder has chosen
	char device_name[CONFIG_TEXT_SIZE]; // interface, PCI address or path, as its kind says
	char interface[IF_NAMESIZE];        // of the kernel; "" for tap, pci, memif, null
	unsigned ifindex;                   // 0: no interface of the kernel
	bool automatic;                     // the ladder chose, and may choose lower
	enum rung rung;                     // while automatic
	char rung_note[LADDER_NOTE_SIZE];
	char rung_failed[RUNG_NONE][LADDER_WHY_SIZE]; // why a rung that was tried failed; "": it
						      // was not

	struct plan_address addresses[DP_ADDRESSES_MAX];
	unsigned address_count;
	uint16_t port_first, port_last; // one per worker
	unsigned main_core;

	char endpoint[PLAN_ENDPOINT_SIZE]; // of the voice WebSocket, as clients are told
	struct tls_files tls;
};

// "afpacket" and so on, as in voicenode.cfg.
const char *device_kind_name(enum config_device_kind kind);
// Is the device one of the kernel's interfaces, shared with it?
bool device_is_shared(enum config_device_kind kind);

// Resolves what 'config' leaves open: addresses, endpoint, certificate, the interface. Chooses no
// rung yet. 0, or -errno with one sentence in 'why' that names the key and the cure.
int plan_make(const struct node_config *config, const char *config_path, struct node_plan *plan,
	char *why, size_t why_size) __attribute__((warn_unused_result));

// Is the plan's interface there and up? No rung works without. 0, or -ENODEV, -ENETDOWN with one
// sentence in 'why'; 0 also for devices that are no interface of the kernel.
int plan_check_interface(const struct node_plan *plan, char *why, size_t why_size)
	__attribute__((warn_unused_result));

// Gathers what the ladder must know about the plan's interface. 0 or -errno.
int plan_facts(const struct node_plan *plan, struct ladder_facts *facts)
	__attribute__((warn_unused_result));
