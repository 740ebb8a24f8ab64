// SPDX-License-Identifier: BSD-3-Clause
//
// What "--device KIND:NAME" means: which DPDK driver, with which arguments, and what that kind can
// and cannot do. Pure; device_check.h asks the machine about it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum device_kind {
	DEVICE_NULL,     // swallows everything: benches
	DEVICE_AFPACKET, // shares a kernel interface, packets are copied
	DEVICE_AFXDP,    // shares a kernel interface through the supervisor's steering program
	DEVICE_TAP,      // an interface of our own, with an address of our own
	DEVICE_PCI,      // a NIC that DPDK owns
	DEVICE_MEMIF,    // shared memory to another process
	DEVICE_KIND_COUNT,
};

#define DEVICE_NAME_SIZE 108 // bytes: a path of a UNIX socket is the longest name
#define DEVICE_ARGS_SIZE 256

// Frames in an af_packet ring: 40 ms of 50,000 packets a second, 4 MiB a queue and direction.
#define DEVICE_AFPACKET_FRAMES 2048

struct device_spec {
	enum device_kind kind;
	char name[DEVICE_NAME_SIZE]; // interface, PCI address or path; "" for null
};

// Parses "null" or "KIND:NAME". 0, or -EINVAL with one sentence in 'why'.
int device_parse(const char *text, struct device_spec *spec, char *why, size_t why_size)
	__attribute__((warn_unused_result));

// "afpacket" and so on.
const char *device_kind_text(enum device_kind kind);

#define DEVICE_DESCRIPTORS 2048u // of a queue, each way: 40 ms of 50,000 packets a second
// Packet buffers that the rings of one queue pair hold at most, beside those that a worker needs:
// without them a device that keeps buffers (AF_XDP, pci) starves the worker of its own pool.
uint32_t device_held_mbufs(enum device_kind kind);
// DPDK's driver, "net_af_packet", and the Debian package that holds it; pci has many: "pci".
const char *device_driver(enum device_kind kind);
const char *device_package(enum device_kind kind);

// Does the kernel answer ARP, neighbour discovery and echo on this device's address?
bool device_shares_kernel(enum device_kind kind);
// May a frame come from a kernel of this machine that left its checksum to hardware?
bool device_partial_checksums(enum device_kind kind);
// Are packets spread over the queues, flow by flow, before the driver sees them?
bool device_kernel_spreads(enum device_kind kind);
// Does the driver count what it had to drop?
bool device_counts_drops(enum device_kind kind);

// The name and arguments of the virtual device with 'queue_count' queues. 'name' is "" for pci,
// which is no virtual device. 0, or -E2BIG.
int device_vdev(const struct device_spec *spec, unsigned queue_count, char *name, size_t name_size,
	char *args, size_t args_size) __attribute__((warn_unused_result));

// The MAC of a node that has an address of its own on a tap: locally administered, made from
// 'address' (DPDK's driver gives its own MAC to the kernel's end, and a bridge would take frames
// for that one for the host's). The same after each restart, so that no neighbour cache goes stale.
void device_own_mac(const uint8_t address[16], uint8_t mac[6]);
