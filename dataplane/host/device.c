// SPDX-License-Identifier: BSD-3-Clause
//
// See device.h: one row per kind.

#include "host/device.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "api/dp_assert.h"

struct device_row {
	const char *text, *driver, *package;
	size_t name_size_max; // with the NUL; 0: takes no name
	bool shares_kernel, partial_checksums, kernel_spreads, counts_drops;
};

static const struct device_row rows[DEVICE_KIND_COUNT] = {
	[DEVICE_NULL] = {"null", "net_null", "librte-net-null23", 0, false, false, false, true},
	// Packet fan-out, the driver's default, is by hash.
	[DEVICE_AFPACKET] = {"afpacket", "net_af_packet", "librte-net-af-packet23", IFNAMSIZ, true,
		true, true, false},
	// The interface's own RSS, or that of its peer's sender (veth).
	[DEVICE_AFXDP] = {"afxdp", "net_af_xdp", "librte-net-af-xdp23", IFNAMSIZ, true, true, true,
		true},
	[DEVICE_TAP] = {"tap", "net_tap", "librte-net-tap23", IFNAMSIZ, false, true, true, false},
	[DEVICE_PCI] = {"pci", "pci", "dpdk", 16, false, false, false, true},
	[DEVICE_MEMIF] = {"memif", "net_memif", "librte-net-memif23", DEVICE_NAME_SIZE, false,
		false, false, false},
};

uint32_t device_held_mbufs(enum device_kind kind)
{
	return kind == DEVICE_AFXDP || kind == DEVICE_PCI ? 2 * DEVICE_DESCRIPTORS : 0;
}

const char *device_kind_text(enum device_kind kind)
{
	return rows[kind].text;
}

const char *device_driver(enum device_kind kind)
{
	return rows[kind].driver;
}

const char *device_package(enum device_kind kind)
{
	return rows[kind].package;
}

bool device_shares_kernel(enum device_kind kind)
{
	return rows[kind].shares_kernel;
}

bool device_partial_checksums(enum device_kind kind)
{
	return rows[kind].partial_checksums;
}

bool device_kernel_spreads(enum device_kind kind)
{
	return rows[kind].kernel_spreads;
}

bool device_counts_drops(enum device_kind kind)
{
	return rows[kind].counts_drops;
}

// "DDDD:BB:DD.F", the domain may be left out.
static bool is_pci_address(const char *name)
{
	unsigned domain, bus, slot, function;
	int end = -1;

	if (sscanf(name, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) == 4 &&
		end >= 0 && name[end] == '\0')
		return function < 8;
	end = -1;
	return sscanf(name, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) == 3 && end >= 0 &&
	       name[end] == '\0' && function < 8;
}

// The name ends up between the commas and equal signs of DPDK's device arguments.
static bool is_clean(const char *name)
{
	for (; *name != '\0'; name++) {
		if (!isgraph((unsigned char)*name) || strchr(",=\"'[]()", *name) != NULL)
			return false;
	}
	return true;
}

static int name_parse(struct device_spec *spec, const char *name, char *why, size_t why_size)
{
	const struct device_row *row = &rows[spec->kind];
	size_t size = strlen(name) + 1;

	if (size == 1) {
		snprintf(why, why_size, "device %s needs a name: %s:NAME", row->text, row->text);
		return -EINVAL;
	}
	if (size > row->name_size_max) {
		snprintf(why, why_size, "device name \"%.64s\" is longer than %zu characters", name,
			row->name_size_max - 1);
		return -EINVAL;
	}
	if (!is_clean(name) || (row->name_size_max == IFNAMSIZ && strchr(name, '/') != NULL)) {
		snprintf(
			why, why_size, "device name \"%s\" has a character that no name has", name);
		return -EINVAL;
	}
	if (spec->kind == DEVICE_PCI && !is_pci_address(name)) {
		snprintf(why, why_size, "\"%s\" is no PCI address: 0000:3b:00.0 is one", name);
		return -EINVAL;
	}
	memcpy(spec->name, name, size);
	return 0;
}

int device_parse(const char *text, struct device_spec *spec, char *why, size_t why_size)
{
	const char *colon = strchr(text, ':');
	size_t kind_size = colon == NULL ? strlen(text) : (size_t)(colon - text);

	memset(spec, 0, sizeof(*spec));
	for (unsigned kind = 0; kind < DEVICE_KIND_COUNT; kind++) {
		const struct device_row *row = &rows[kind];

		if (strlen(row->text) != kind_size || memcmp(row->text, text, kind_size) != 0)
			continue;
		spec->kind = (enum device_kind)kind;
		if (row->name_size_max == 0 && colon != NULL) {
			snprintf(why, why_size, "device %s takes no name", row->text);
			return -EINVAL;
		}
		if (row->name_size_max == 0)
			return 0;
		return name_parse(spec, colon == NULL ? "" : colon + 1, why, why_size);
	}
	snprintf(why, why_size,
		"device \"%.64s\" is none of afxdp:IFACE, afpacket:IFACE, tap:NAME, pci:ADDRESS,"
		" memif:PATH, null",
		text);
	return -EINVAL;
}

int device_vdev(const struct device_spec *spec, unsigned queue_count, char *name, size_t name_size,
	char *args, size_t args_size)
{
	int n = 0;

	DP_ASSERT(queue_count > 0);
	args[0] = '\0';
	switch (spec->kind) {
	case DEVICE_NULL:
		// Without no-rx it receives as fast as it is asked, forever.
		n = snprintf(args, args_size, "no-rx=1");
		break;
	case DEVICE_AFPACKET:
		n = snprintf(args, args_size, "iface=%s,qpairs=%u,framecnt=%u", spec->name,
			queue_count, DEVICE_AFPACKET_FRAMES);
		break;
	case DEVICE_AFXDP:
		// No xdp_prog: the supervisor's program is attached already, under the names that
		// libxdp looks for, and outlives us.
		n = snprintf(args, args_size, "iface=%s,start_queue=0,queue_count=%u", spec->name,
			queue_count);
		break;
	case DEVICE_TAP:
		n = snprintf(args, args_size, "iface=%s", spec->name);
		break;
	case DEVICE_MEMIF:
		n = snprintf(args, args_size,
			"role=server,id=0,socket-abstract=no,rsize=11,socket=%s", spec->name);
		break;
	case DEVICE_PCI:
	case DEVICE_KIND_COUNT:
		name[0] = '\0';
		return 0;
	}
	if (n < 0 || (size_t)n >= args_size)
		return -E2BIG;
	n = snprintf(name, name_size, "%s0", rows[spec->kind].driver);
	return n < 0 || (size_t)n >= name_size ? -E2BIG : 0;
}

void device_own_mac(const uint8_t address[16], uint8_t mac[6])
{
	uint32_t hash = 2166136261u; // FNV-1a

	for (unsigned i = 0; i < 16; i++)
		hash = (hash ^ address[i]) * 16777619u;
	mac[0] = 0x02; // locally administered, one receiver
	mac[1] = 'v';
	mac[2] = (uint8_t)(hash >> 24);
	mac[3] = (uint8_t)(hash >> 16);
	mac[4] = (uint8_t)(hash >> 8);
	mac[5] = (uint8_t)hash;
}
