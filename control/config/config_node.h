// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode.cfg as a checked struct. Include config.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config_types.h"
#include "log/log.h"

struct node_config {
	struct {
		char name[CONFIG_NAME_SIZE], region[CONFIG_NAME_SIZE], instance[CONFIG_NAME_SIZE];
		char state_dir[CONFIG_TEXT_SIZE];
	} node;
	struct {
		char device[CONFIG_TEXT_SIZE]; // as written, "auto:eth0"
		enum config_device_kind device_kind;
		char device_arg[CONFIG_TEXT_SIZE]; // "eth0", a PCI address, a path; "" for null
		struct config_list addresses;      // as written
		bool addresses_host;   // "host" is in the list: also the kernel's addresses
		uint32_t prefix_count; // the others, parsed
		struct config_prefix prefix[CONFIG_LIST_MAX];
		struct config_list announce; // IP literals told to clients
		char media_ports[CONFIG_TEXT_SIZE];
		enum config_steering steering;
	} network;
	struct {
		uint32_t count;                    // one per media port
		uint16_t port[CONFIG_WORKERS_MAX]; // UDP, of worker i
		uint16_t core[CONFIG_WORKERS_MAX]; // CPU of worker i, allowed to this process
		char cores[CONFIG_TEXT_SIZE];      // as written
		enum config_idle idle;
		uint32_t sleep_us_max;
		enum config_crypto crypto_engine;
		uint32_t capacity_pps;     // 0: measured at start
		uint32_t seal_check_every; // groups of four packets; 0: never
	} workers;
	struct {
		enum config_hugepages hugepages;
		uint32_t mbufs; // per worker
	} memory;
	struct {
		uint32_t sessions, guilds, legs; // each per worker
	} limits;
	struct {
		struct config_list listen; // as written
		struct config_host_port listen_at[CONFIG_LIST_MAX];
		char endpoint[CONFIG_TEXT_SIZE]; // "": node_config_endpoint() makes it
		char tls_certificate[CONFIG_TEXT_SIZE], tls_key[CONFIG_TEXT_SIZE]; // both or none
		uint32_t mode_count;
		enum config_mode mode[CONFIG_MODES_MAX]; // by preference
		uint32_t heartbeat_ms, resume_window_s;
	} voice;
	struct {
		char url[CONFIG_TEXT_SIZE], secret_file[CONFIG_TEXT_SIZE],
			ca_file[CONFIG_TEXT_SIZE];
	} gateway;
	struct {
		char listen[CONFIG_TEXT_SIZE]; // "": no metrics
		struct config_host_port listen_at;
	} metrics;
	char control_socket[CONFIG_TEXT_SIZE];
	enum log_level log_level;
	struct config_list eal_extra_args;
};
