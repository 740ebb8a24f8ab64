// SPDX-License-Identifier: BSD-3-Clause
//
// Parsers of the grammars inside of strings. The checks that rows name are in value_check.c.

#include "config/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static bool no(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return false;
}

// A number without sign or leading zeros, at most 'max', that ends at 'end'.
static bool small_number(const char *text, const char *end, unsigned max, unsigned *out)
{
	unsigned value = 0;

	if (text == end || (*text == '0' && text + 1 != end))
		return false;
	for (; text < end; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return false;
	}
	*out = value;
	return true;
}

static bool is_interface(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *name != '\0'; name++)
		if (!isgraph((unsigned char)*name) || strchr("/:\",%", *name) != NULL)
			return false; // a comma would end a device argument of EAL
	return true;
}

// "0000:3b:00.0" or "3b:00.0".
static bool is_pci(const char *text)
{
	static const char *const shapes[] = {"xxxx:xx:xx.o", "xx:xx.o"};

	for (unsigned i = 0; i < 2; i++) {
		const char *shape = shapes[i], *at = text;

		if (strlen(shape) != strlen(text))
			continue;
		for (; *shape != '\0'; shape++, at++)
			if (*shape == 'x'       ? !isxdigit((unsigned char)*at)
				: *shape == 'o' ? *at < '0' || *at > '7'
						: *at != *shape)
				break;
		if (*shape == '\0')
			return true;
	}
	return false;
}

bool value_device(
	const char *text, enum config_device_kind *kind, char *arg, char *why, size_t why_size)
{
	static const struct {
		const char *name;
		enum config_device_kind kind;
	} kinds[] = {
		{"auto", CONFIG_DEVICE_AUTO},
		{"afxdp", CONFIG_DEVICE_AFXDP},
		{"afpacket", CONFIG_DEVICE_AFPACKET},
		{"tap", CONFIG_DEVICE_TAP},
		{"pci", CONFIG_DEVICE_PCI},
		{"memif", CONFIG_DEVICE_MEMIF},
	};
	const char *colon = strchr(text, ':');
	const char *after = colon == NULL ? "" : colon + 1;

	if (strcmp(text, "null") == 0) {
		*kind = CONFIG_DEVICE_NULL;
		arg[0] = '\0';
		return true;
	}
	for (unsigned i = 0; colon != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t name_size = strlen(kinds[i].name);

		if ((size_t)(colon - text) != name_size ||
			memcmp(text, kinds[i].name, name_size) != 0)
			continue;
		if (kinds[i].kind == CONFIG_DEVICE_PCI && !is_pci(after))
			return no(why, why_size, "has no PCI address like 0000:3b:00.0");
		if (kinds[i].kind == CONFIG_DEVICE_MEMIF &&
			(after[0] != '/' ||
				strlen(after) >= sizeof(((struct sockaddr_un *)0)->sun_path) ||
				strpbrk(after, ", \"") != NULL))
			return no(why, why_size, "has no absolute path of a socket");
		if (kinds[i].kind != CONFIG_DEVICE_PCI && kinds[i].kind != CONFIG_DEVICE_MEMIF &&
			!is_interface(after))
			return no(why, why_size,
				"names no interface behind its colon (1 to 15 characters, no "
				"spaces)");
		if (strlen(after) >= CONFIG_TEXT_SIZE)
			return no(why, why_size, "is too long");
		*kind = kinds[i].kind;
		memcpy(arg, after, strlen(after) + 1);
		return true;
	}
	return no(why, why_size,
		colon == NULL ? "does not say which kind of device it is"
			      : "begins with no kind of device");
}

// An address that one host can have.
static bool host_address(const char *text, int *family, uint8_t address[16])
{
	static const uint8_t zero[16];

	memset(address, 0, 16);
	if (inet_pton(AF_INET, text, address) == 1) {
		*family = AF_INET;
		return memcmp(address, zero, 4) != 0 && address[0] < 224; // no multicast, 240/4
	}
	if (inet_pton(AF_INET6, text, address) == 1) {
		*family = AF_INET6;
		return memcmp(address, zero, 16) != 0 && address[0] != 0xff;
	}
	return false;
}

bool value_prefix(const char *text, struct config_prefix *out, char *why, size_t why_size)
{
	const char *slash = strchr(text, '/');
	struct config_prefix made;
	char address[INET6_ADDRSTRLEN];
	unsigned bits;

	if (slash == NULL)
		return no(why, why_size, "has no prefix length like /24");
	if ((size_t)(slash - text) >= sizeof(address))
		return no(why, why_size, "is not an address of a host");
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!host_address(address, &made.family, made.address))
		return no(why, why_size, "is not an address of a host");
	if (!small_number(
		    slash + 1, text + strlen(text), made.family == AF_INET ? 32 : 128, &bits) ||
		bits == 0)
		return no(why, why_size,
			made.family == AF_INET ? "has a prefix length outside of /1 to /32"
					       : "has a prefix length outside of /1 to /128");
	made.bits = (uint8_t)bits;
	*out = made;
	return true;
}

bool check_announce(const char *text, char *why, size_t why_size)
{
	uint8_t address[16];
	int family;

	return host_address(text, &family, address) ||
	       no(why, why_size, "is not an address of a host");
}

bool value_ports(const char *text, uint16_t *first, uint32_t *count, char *why, size_t why_size)
{
	const char *end = text + strlen(text), *dash = strchr(text, '-');
	unsigned from, to;

	if (!small_number(text, dash == NULL ? end : dash, UINT16_MAX, &from) || from == 0)
		return no(why, why_size, "does not begin with a port from 1 to 65535");
	to = from;
	if (dash != NULL && !small_number(dash + 1, end, UINT16_MAX, &to))
		return no(why, why_size, "does not end with a port from 1 to 65535");
	if (to < from)
		return no(why, why_size, "ends before it begins");
	if (to - from >= CONFIG_WORKERS_MAX) {
		snprintf(why, why_size, "is a range of %u ports", to - from + 1);
		return false;
	}
	*first = (uint16_t)from;
	*count = to - from + 1;
	return true;
}

bool value_cores(const char *text, uint16_t *core, uint32_t *count, char *why, size_t why_size)
{
	uint32_t made = 0;

	for (const char *at = text;; at++) {
		const char *end = at + strcspn(at, ","),
			   *dash = memchr(at, '-', (size_t)(end - at));
		unsigned from, to;

		if (!small_number(at, dash == NULL ? end : dash, CPU_SETSIZE - 1, &from))
			return no(why, why_size, "is not a list of cores like \"2-5,8\"");
		to = from;
		if (dash != NULL && !small_number(dash + 1, end, CPU_SETSIZE - 1, &to))
			return no(why, why_size, "is not a list of cores like \"2-5,8\"");
		if (to < from)
			return no(why, why_size, "has a range that ends before it begins");
		for (unsigned cpu = from; cpu <= to; cpu++) {
			for (uint32_t i = 0; i < made; i++)
				if (core[i] == cpu) {
					snprintf(why, why_size, "names core %u twice", cpu);
					return false;
				}
			if (made == CONFIG_WORKERS_MAX) {
				snprintf(why, why_size, "names more than %u cores",
					CONFIG_WORKERS_MAX);
				return false;
			}
			core[made++] = (uint16_t)cpu;
		}
		at = end;
		if (*at == '\0')
			break;
	}
	*count = made;
	return true;
}

// Labels of letters, digits and hyphens.
static bool is_host_name(const char *name)
{
	size_t label = 0;

	if (strlen(name) > 253)
		return false;
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == '.' ? label == 0 || at[-1] == '-'
			       : !isalnum((unsigned char)*at) && (*at != '-' || label == 0))
			return false;
		label = *at == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	// All digits and dots would be a mistyped address.
	return label > 0 && name[strlen(name) - 1] != '-' &&
	       name[strspn(name, "0123456789.")] != '\0';
}

bool value_host_port(
	const char *text, bool literal, struct config_host_port *out, char *why, size_t why_size)
{
	const char *colon = strrchr(text, ':'), *host = text, *host_end = colon;
	bool brackets = text[0] == '[';
	uint8_t address[16];
	unsigned port;
	char name[CONFIG_TEXT_SIZE];

	if (colon == NULL)
		return no(why, why_size,
			text[0] != '\0' && text[strspn(text, "0123456789")] == '\0'
				? "is a port without an address before it"
				: "is an address without a port behind it");
	if (brackets && text[strlen(text) - 1] == ']')
		return no(why, why_size, "is an address without a port behind it");
	if (brackets) {
		host++;
		host_end = colon - 1;
		if (host_end < host || *host_end != ']')
			return no(why, why_size, "has no closing bracket before its port");
	}
	if (host_end == host || (size_t)(host_end - host) >= sizeof(name))
		return no(why, why_size, "has no address before its colon");
	memcpy(name, host, (size_t)(host_end - host));
	name[host_end - host] = '\0';
	if (brackets ? inet_pton(AF_INET6, name, address) != 1
		     : inet_pton(AF_INET, name, address) != 1 && (literal || !is_host_name(name)))
		return no(why, why_size,
			strchr(name, ':') != NULL && !brackets
				? "needs brackets around its IPv6 address"
			: literal ? "does not begin with an address"
				  : "does not begin with an address or a host name");
	if (!small_number(colon + 1, text + strlen(text), UINT16_MAX, &port) || port == 0)
		return no(why, why_size, "has a port outside of 1 to 65535");
	memcpy(out->host, name, strlen(name) + 1);
	out->port = (uint16_t)port;
	return true;
}
