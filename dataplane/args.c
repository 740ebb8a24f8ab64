// SPDX-License-Identifier: BSD-3-Clause
//
// See args.h: one row per option.

#include "args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "host/capacity.h"

struct parser {
	struct args *args;
	uint32_t core_count, port_count;
	char *why;
	size_t why_size;
};

struct option_row {
	const char *name;
	int (*parse)(struct parser *p, const char *name, const char *value);
	bool optional, repeated;
};

static int bad(struct parser *p, const char *name, const char *value, const char *allowed)
{
	snprintf(p->why, p->why_size, "--%s \"%.100s\": %s", name, value, allowed);
	return -EINVAL;
}

// Digits only, then 'end'; *next is behind 'end'.
static bool number_parse(
	const char *text, char end, uint32_t min, uint32_t max, uint32_t *out, const char **next)
{
	uint64_t value = 0;
	unsigned digits = 0;

	for (; *text >= '0' && *text <= '9' && digits < 11; text++, digits++)
		value = value * 10 + (uint64_t)(*text - '0');
	if (digits == 0 || *text != end || value < min || value > max)
		return false;
	*out = (uint32_t)value;
	if (next != NULL)
		*next = text + 1;
	return true;
}

static int number(struct parser *p, const char *name, const char *value, uint32_t min, uint32_t max,
	uint32_t *out)
{
	char allowed[64];

	if (number_parse(value, '\0', min, max, out, NULL))
		return 0;
	snprintf(allowed, sizeof(allowed), "a number from %u to %u is allowed", min, max);
	return bad(p, name, value, allowed);
}

// 'words' ends with NULL.
static int word(struct parser *p, const char *name, const char *value, const char *const words[],
	unsigned *out)
{
	char allowed[64] = "";

	for (unsigned i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], value) == 0) {
			*out = i;
			return 0;
		}
		size_t used = strlen(allowed);
		snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
			i == 0 ? "allowed: " : ", ", words[i]);
	}
	return bad(p, name, value, allowed);
}

static int parse_epoch(struct parser *p, const char *name, const char *value)
{
	return number(p, name, value, 1, UINT32_MAX, &p->args->epoch);
}

static int parse_device(struct parser *p, const char *name, const char *value)
{
	(void)name;
	return device_parse(value, &p->args->device, p->why, p->why_size);
}

static int parse_rung_note(struct parser *p, const char *name, const char *value)
{
	(void)name;
	snprintf(p->args->rung_note, sizeof(p->args->rung_note), "%s", value);
	return 0;
}

static int parse_address(struct parser *p, const char *name, const char *value)
{
	struct args *args = p->args;
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(value, '/');
	uint32_t prefix;

	if (args->address_count == DP_ADDRESSES_MAX)
		return bad(p, name, value, "more addresses than a node may have (8)");
	struct dp_addr *address = &args->addresses[args->address_count];
	if (slash == NULL || (size_t)(slash - value) >= sizeof(ip))
		return bad(p, name, value, "IP/PREFIX is expected");
	memcpy(ip, value, (size_t)(slash - value));
	ip[slash - value] = '\0';
	if (inet_pton(AF_INET, ip, address->ip) == 1)
		address->family = 4;
	else if (inet_pton(AF_INET6, ip, address->ip) == 1)
		address->family = 6;
	else
		return bad(p, name, value, "no IPv4 or IPv6 address");
	if (!number_parse(slash + 1, '\0', 0, address->family == 4 ? 32 : 128, &prefix, NULL))
		return bad(p, name, value, "the prefix has 0 to 32 bits (IPv4), 0 to 128 (IPv6)");
	args->prefixes[args->address_count++] = (uint8_t)prefix;
	return 0;
}

static int parse_ports(struct parser *p, const char *name, const char *value)
{
	uint32_t first, last;
	const char *rest;

	if (!number_parse(value, '-', 1, UINT16_MAX, &first, &rest) ||
		!number_parse(rest, '\0', first, UINT16_MAX, &last, NULL) ||
		last - first >= DP_WORKERS_MAX)
		return bad(p, name, value, "FIRST-LAST is expected, at most 64 ports");
	p->args->first_port = (uint16_t)first;
	p->port_count = last - first + 1;
	return 0;
}

static int parse_cores(struct parser *p, const char *name, const char *value)
{
	const char *at = value;
	uint32_t core;

	for (p->core_count = 0; p->core_count < DP_WORKERS_MAX; at = strchr(at, ',') + 1) {
		bool is_last = strchr(at, ',') == NULL;

		if (!number_parse(at, is_last ? '\0' : ',', 0, ARGS_CORE_MAX, &core, NULL))
			break;
		p->args->cores[p->core_count++] = (uint16_t)core;
		if (is_last)
			return 0;
	}
	return bad(p, name, value, "a list of 1 to 64 cores is expected: 0,1");
}

static int parse_main_core(struct parser *p, const char *name, const char *value)
{
	uint32_t core;
	int err = number(p, name, value, 0, ARGS_CORE_MAX, &core);

	if (err == 0)
		p->args->main_core = (uint16_t)core;
	return err;
}

static int parse_idle(struct parser *p, const char *name, const char *value)
{
	static const char *const words[] = {"adaptive", "poll", NULL};
	unsigned at;
	int err = word(p, name, value, words, &at);

	if (err == 0)
		p->args->idle = at == 0 ? WORKER_IDLE_ADAPTIVE : WORKER_IDLE_POLL;
	return err;
}

static int parse_sleep(struct parser *p, const char *name, const char *value)
{
	return number(p, name, value, 0, ARGS_SLEEP_US_MAX, &p->args->sleep_us_max);
}

static int parse_crypto_engine(struct parser *p, const char *name, const char *value)
{
	static const char *const words[] = {"auto", "ipsec-mb", "libsrtp2", NULL};
	static const enum crypto_engine_kind values[] = {
		CRYPTO_ENGINE_AUTO, CRYPTO_ENGINE_IPSEC_MB, CRYPTO_ENGINE_LIBSRTP2};
	unsigned at;
	int err = word(p, name, value, words, &at);

	if (err == 0)
		p->args->crypto_engine = values[at];
	return err;
}

static int parse_seal_check(struct parser *p, const char *name, const char *value)
{
	return number(p, name, value, 0, ARGS_SEAL_CHECK_MAX, &p->args->seal_check_every);
}

static int parse_capacity(struct parser *p, const char *name, const char *value)
{
	if (strcmp(value, "auto") == 0)
		return 0;
	if (strspn(value, "0") == strlen(value))
		return bad(p, name, value,
			"a budget of zero: no worker would take anybody; \"auto\" measures it");
	return number(p, name, value, 1, CAPACITY_PPS_MAX, &p->args->capacity_pps);
}

static int parse_hugepages(struct parser *p, const char *name, const char *value)
{
	static const char *const words[] = {"auto", "required", "off", NULL};
	static const enum eal_hugepages values[] = {
		EAL_HUGEPAGES_AUTO, EAL_HUGEPAGES_REQUIRED, EAL_HUGEPAGES_OFF};
	unsigned at;
	int err = word(p, name, value, words, &at);

	if (err == 0)
		p->args->hugepages = values[at];
	return err;
}

static int parse_mbufs(struct parser *p, const char *name, const char *value)
{
	return number(p, name, value, DP_MBUFS_MIN, DP_MBUFS_MAX, &p->args->mbufs);
}

static int parse_sessions(struct parser *p, const char *name, const char *value)
{
	return number(p, name, value, 1, DP_SESSIONS_MAX, &p->args->sessions);
}

static int parse_guilds(struct parser *p, const char *name, const char *value)
{
	return number(p, name, value, 1, DP_GUILDS_MAX, &p->args->guilds);
}

static int parse_legs(struct parser *p, const char *name, const char *value)
{
	// Slot 0 of the pool is never used.
	return number(p, name, value, 2, DP_LEGS_MAX, &p->args->legs);
}

static int parse_steering(struct parser *p, const char *name, const char *value)
{
	static const char *const words[] = {"auto", "flow", "rss", "software", NULL};
	static const enum steer_mode values[] = {STEER_AUTO, STEER_FLOW, STEER_RSS, STEER_SOFTWARE};
	unsigned at;
	int err = word(p, name, value, words, &at);

	if (err == 0)
		p->args->steering = values[at];
	return err;
}

static int parse_file_prefix(struct parser *p, const char *name, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= ARGS_PREFIX_SIZE || strchr(value, '/') != NULL)
		return bad(p, name, value, "a name without a slash is expected");
	memcpy(p->args->file_prefix, value, strlen(value) + 1);
	return 0;
}

static int parse_log_level(struct parser *p, const char *name, const char *value)
{
	if (host_log_level_parse(value, &p->args->log_level))
		return 0;
	return bad(p, name, value, "allowed: error, warn, info, debug");
}

static const struct option_row option_rows[] = {
	{"epoch", parse_epoch, false, false},
	{"device", parse_device, false, false},
	{"rung-note", parse_rung_note, true, false},
	{"address", parse_address, true, true},
	{"ports", parse_ports, false, false},
	{"cores", parse_cores, false, false},
	{"main-core", parse_main_core, false, false},
	{"idle", parse_idle, false, false},
	{"sleep-us-max", parse_sleep, false, false},
	{"crypto-engine", parse_crypto_engine, true, false},
	{"seal-check-every", parse_seal_check, true, false},
	{"capacity-pps", parse_capacity, true, false},
	{"hugepages", parse_hugepages, false, false},
	{"mbufs", parse_mbufs, false, false},
	{"sessions", parse_sessions, false, false},
	{"guilds", parse_guilds, false, false},
	{"legs", parse_legs, false, false},
	{"steering", parse_steering, false, false},
	{"file-prefix", parse_file_prefix, false, false},
	{"log-level", parse_log_level, true, false},
};
#define OPTION_COUNT (sizeof(option_rows) / sizeof(option_rows[0]))
static_assert(OPTION_COUNT <= 32, "what was seen is kept in 32 bits");

// All are there, and they agree with each other.
static int check(struct parser *p, uint32_t seen)
{
	const struct args *args = p->args;

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if ((seen >> i & 1) != 0 || option_rows[i].optional)
			continue;
		snprintf(p->why, p->why_size, "--%s is missing", option_rows[i].name);
		return -EINVAL;
	}
	if (p->core_count != p->port_count) {
		snprintf(p->why, p->why_size,
			"--ports has %u ports and --cores %u cores: one worker has one of each",
			p->port_count, p->core_count);
		return -EINVAL;
	}
	if (args->address_count == 0 && args->device.kind != DEVICE_NULL) {
		snprintf(p->why, p->why_size, "--address is missing: who shall be answered for?");
		return -EINVAL;
	}
	return 0;
}

const char *args_help(int argc, char *const argv[])
{
	if (argc > 1 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		return NULL;
	return "voicenode-dataplane is the packet engine of a voice node: a part of voicenode.\n"
	       "It is not started by hand: `voicenode run` starts it, with arguments made of\n"
	       "voicenode.cfg, and starts it again when it dies. Log lines go to stderr.\n"
	       "To run a node: voicenode run --config /etc/voicenode/voicenode.cfg\n"
	       "To see all commands: voicenode help\n";
}

int args_parse(int argc, char *const argv[], struct args *args, char *why, size_t why_size)
{
	struct parser p = {.args = args, .why = why, .why_size = why_size};
	uint32_t seen = 0;
	int i = 1;

	memset(args, 0, sizeof(*args));
	args->log_level = HOST_LOG_INFO;
	for (; i < argc && strcmp(argv[i], "--") != 0; i += 2) {
		unsigned row = 0;

		while (row < OPTION_COUNT &&
			(strncmp(argv[i], "--", 2) != 0 ||
				strcmp(argv[i] + 2, option_rows[row].name) != 0))
			row++;
		if (row == OPTION_COUNT || i + 1 == argc) {
			snprintf(why, why_size, "\"%.64s\" %s", argv[i],
				row == OPTION_COUNT ? "is no option" : "needs a value");
			return -EINVAL;
		}
		if ((seen >> row & 1) != 0 && !option_rows[row].repeated) {
			snprintf(why, why_size, "%s is given twice", argv[i]);
			return -EINVAL;
		}
		seen |= 1u << row;
		if (option_rows[row].parse(&p, option_rows[row].name, argv[i + 1]) != 0)
			return -EINVAL;
	}
	if (check(&p, seen) != 0)
		return -EINVAL;
	args->worker_count = (uint16_t)p.core_count;
	if (i < argc) {
		args->eal_extra = argv + i + 1;
		args->eal_extra_count = (unsigned)(argc - i - 1);
	}
	return 0;
}
