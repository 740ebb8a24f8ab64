// SPDX-License-Identifier: BSD-3-Clause
//
// Bounds, words and small structs that both configurations use. Include config.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	CONFIG_STEERING_RSS,
	CONFIG_STEERING_SOFTWARE
};
enum config_idle {
	CONFIG_IDLE_ADAPTIVE = 0,
	CONFIG_IDLE_POLL
};
enum config_crypto {
	CONFIG_CRYPTO_AUTO = 0,
	CONFIG_CRYPTO_IPSEC_MB,
	CONFIG_CRYPTO_LIBSRTP2
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
