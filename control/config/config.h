// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode.cfg and gateway.cfg as checked structs. One schema table per file (node_schema.c,
// gateway_schema.c) holds every key with type, bounds, default and help; loading, the sample files
// in configs/ and `voicenode config` come from it. A struct that these functions return is complete
// and within its bounds: callers check nothing again.
//
// Threads: any; no state is kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/log.h"

#define CONFIG_TEXT_SIZE 256u // bytes of one string, with NUL
#define CONFIG_NAME_SIZE 64u
#define CONFIG_LIST_MAX 16u
#define CONFIG_WORKERS_MAX 64u
#define CONFIG_MODES_MAX 2u
#define CONFIG_GUILDS_MAX 16384u
#define CONFIG_CHANNELS_MAX 512u   // per guild
#define CONFIG_MEMBERS_MAX 131072u // per guild
#define CONFIG_USERS_MAX 131072u
#define CONFIG_SECRETS_MAX 64u
#define CONFIG_SECRET_SIZE 128u // bytes, with NUL

enum config_device_kind {
	CONFIG_DEVICE_AUTO = 0, // the ladder: DPDK port, AF_XDP, AF_PACKET
	CONFIG_DEVICE_AFXDP,
	CONFIG_DEVICE_AFPACKET,
	CONFIG_DEVICE_TAP,
	CONFIG_DEVICE_PCI,
	CONFIG_DEVICE_MEMIF,
	CONFIG_DEVICE_NULL,
};
enum config_steering {
	CONFIG_STEERING_AUTO = 0,
	CONFIG_STEERING_FLOW,
	CONFIG_STEERING_SOFTWARE
};
enum config_idle {
	CONFIG_IDLE_ADAPTIVE = 0,
	CONFIG_IDLE_POLL
};
enum config_hugepages {
	CONFIG_HUGEPAGES_AUTO = 0,
	CONFIG_HUGEPAGES_REQUIRED,
	CONFIG_HUGEPAGES_OFF
};
enum config_mode {
	CONFIG_MODE_AEAD_AES256_GCM_RTPSIZE = 0,
	CONFIG_MODE_AEAD_XCHACHA20_POLY1305_RTPSIZE
};

struct config_list {
	uint32_t count;
	char item[CONFIG_LIST_MAX][CONFIG_TEXT_SIZE];
};

// An address with the length of its network's prefix, network byte order.
struct config_prefix {
	int family; // AF_INET: the first 4 bytes; AF_INET6: all 16
	uint8_t bits;
	uint8_t address[16];
};

struct config_host_port {
	char host[CONFIG_TEXT_SIZE]; // IPv6 without brackets
	uint16_t port;
};

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

#include "config/config_gateway.h"
#include "config/config_load.h"
