// SPDX-License-Identifier: BSD-3-Clause
//
// The command line of voicenode-dataplane, written by the supervisor from its checked
// configuration. The packet engine reads no file. Pure: all it knows of the machine is in argv.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dp_limits.h"
#include "api/dp_media.h"
#include "host/device.h"
#include "host/eal.h"
#include "host/host_log.h"
#include "host/steer.h"
#include "worker/worker.h"

#define ARGS_NOTE_SIZE 96   // bytes, as in struct dp_device
#define ARGS_PREFIX_SIZE 96 // bytes of --file-prefix
#define ARGS_CORE_MAX 1023  // CPU_SETSIZE - 1
#define ARGS_SLEEP_US_MAX 10000
#define ARGS_SEAL_CHECK_MAX 1000000

struct args {
	uint32_t epoch;
	struct device_spec device;
	char rung_note[ARGS_NOTE_SIZE];
	struct dp_addr addresses[DP_ADDRESSES_MAX]; // ports 0
	uint8_t prefixes[DP_ADDRESSES_MAX];         // bits
	uint32_t address_count;
	uint16_t first_port;            // of worker 0
	uint16_t worker_count;          // one per port
	uint16_t cores[DP_WORKERS_MAX]; // of worker n
	uint16_t main_core;
	enum worker_idle idle;
	uint32_t sleep_us_max;
	enum crypto_engine_kind crypto_engine;
	uint32_t capacity_pps;     // of each worker; 0: measure it
	uint32_t seal_check_every; // groups: crypto_engine_check_every()
	enum eal_hugepages hugepages;
	uint32_t mbufs;                  // per worker
	uint32_t sessions, guilds, legs; // per worker
	enum steer_mode steering;
	char file_prefix[ARGS_PREFIX_SIZE];
	enum host_log_level log_level;
	char *const *eal_extra; // into argv
	unsigned eal_extra_count;
};

// What a person who typed this program's name is told: with --help, or without arguments. NULL: it
// was started as it is meant to be.
const char *args_help(int argc, char *const argv[]);

// 0, or -EINVAL with one sentence in 'why'. Every option but --address, --crypto-engine,
// --seal-check-every, --rung-note, --log-level and what stands behind "--" must be there; only
// device null may have no address.
int args_parse(int argc, char *const argv[], struct args *args, char *why, size_t why_size)
	__attribute__((warn_unused_result));
