// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode.cfg: every key of a node. The order here is the order of the sample file.
// What must be true between keys is in node_check.c.

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "api/dp_limits.h"
#include "config/schema.h"
#include "config/value.h"

#define FIELD(member)                                   \
	.offset = offsetof(struct node_config, member), \
	.size = sizeof(((struct node_config *)0)->member)
#define ITEMS(first, counter)                             \
	.offset = offsetof(struct node_config, first),    \
	.size = sizeof(((struct node_config *)0)->first), \
	.count_offset = offsetof(struct node_config, counter)
#define TEXT .type = SCHEMA_TEXT, .max = CONFIG_TEXT_SIZE - 1
#define RESTART .restart = true

static const char *const steering_words[] = {"auto", "flow", "rss", "software", NULL};
static const char *const idle_words[] = {"adaptive", "poll", NULL};
static const char *const crypto_words[] = {"auto", "ipsec-mb", "libsrtp2", NULL};
static const char *const capacity_words[] = {"auto", NULL};
static const char *const hugepage_words[] = {"auto", "required", "off", NULL};
static const char *const mode_words[] = {
	"aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize", NULL};
static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};

static const struct schema_row node_rows[] = {
	{.path = "node", .help = "Who this node is."},
	{.path = "node.name",
		TEXT,
		FIELD(node.name),
		RESTART,
		.fallback = "\"\"",
		.check = check_name_or_empty,
		.help = "The name that the gateway, logs and metrics show, each node's own; empty: "
			"the host's\n"
			"name, and \"-INSTANCE\" behind it where node.instance is not the default.",
		.allowed = "at most 63 letters, digits, '.', '_' and '-'"},
	{.path = "node.region",
		TEXT,
		FIELD(node.region),
		RESTART,
		.fallback = "\"local\"",
		.check = check_name,
		.help = "Where it stands; the gateway's word for a place.",
		.allowed = "1 to 63 letters, digits, '.', '_' and '-'"},
	{.path = "node.state_dir",
		TEXT,
		FIELD(node.state_dir),
		RESTART,
		.fallback = "\"/var/lib/voicenode\"",
		.check = check_path,
		.help = "Where the local certificate authority is kept.",
		.allowed = "an absolute path; the directory is made where it is missing"},
	{.path = "node.instance",
		TEXT,
		FIELD(node.instance),
		RESTART,
		.fallback = "\"default\"",
		.check = check_name,
		.help = "Tells several nodes on one host apart.",
		.allowed = "1 to 63 letters, digits, '.', '_' and '-'"},

	{.path = "network", .help = "Where voice packets come and go."},
	{.path = "network.device",
		TEXT,
		FIELD(network.device),
		RESTART,
		.fallback = "\"auto:eth0\"",
		.check = check_device,
		.help = "The device of the packet engine. auto takes the best way that the "
			"interface\n"
			"offers: a DPDK port with rte_flow, AF_XDP, AF_PACKET. Which one it was is "
			"said.",
		.allowed = "\"auto:IFACE\", \"afxdp:IFACE\", \"afpacket:IFACE\", \"tap:NAME\", "
			   "\"pci:ADDRESS\", \"memif:PATH\" or \"null\""},
	{.path = "network.addresses",
		.type = SCHEMA_TEXTS,
		.min = 1,
		.max = CONFIG_LIST_MAX,
		ITEMS(network.addresses.item[0], network.addresses.count),
		RESTART,
		.fallback = "[ \"host\" ]",
		.check = check_address,
		.help = "The addresses of the media ports; \"host\": those that the kernel has on "
			"IFACE.",
		.allowed = "\"host\", \"192.0.2.10/24\" or \"2001:db8::10/64\""},
	{.path = "network.announce",
		.type = SCHEMA_TEXTS,
		.min = 0,
		.max = CONFIG_LIST_MAX,
		ITEMS(network.announce.item[0], network.announce.count),
		RESTART,
		.fallback = "[ ]",
		.check = check_announce,
		.help = "The addresses that clients are told, where a NAT stands before the node;\n"
			"empty: the node's own.",
		.allowed = "\"203.0.113.7\" or \"2001:db8::7\""},
	{.path = "network.media_ports",
		TEXT,
		FIELD(network.media_ports),
		RESTART,
		.fallback = "\"50000-50001\"",
		.check = check_ports,
		.help = "The UDP ports of voice packets: one port for each worker, so that the "
			"number of\n"
			"ports is the number of workers.",
		.allowed = "\"FIRST-LAST\" or one port, at most 64"},
	{.path = "network.steering",
		.type = SCHEMA_WORD,
		FIELD(network.steering),
		RESTART,
		.words = steering_words,
		.fallback = "\"auto\"",
		.help = "How a packet finds the worker of its port. flow: by rules of the device; "
			"rss: the\n"
			"device spreads packets over all workers, which hand over what is "
			"another's;\n"
			"software: one worker receives everything and hands over. auto takes the "
			"first of\n"
			"them that the device can."},

	{.path = "workers", .help = "The threads that forward packets, each pinned to a core."},
	{.path = "workers.cores",
		TEXT,
		FIELD(workers.cores),
		RESTART,
		.fallback = "\"auto\"",
		.check = check_cores,
		.help = "Their cores; auto: the allowed ones in turn.",
		.allowed = "\"auto\", or one core for each media port, \"2-5,8\""},
	{.path = "workers.idle",
		.type = SCHEMA_WORD,
		FIELD(workers.idle),
		RESTART,
		.words = idle_words,
		.fallback = "\"adaptive\"",
		.help = "adaptive sleeps when there is nothing to do; poll burns the core for the "
			"lowest\n"
			"latency."},
	{.path = "workers.sleep_us_max",
		.type = SCHEMA_NUMBER,
		FIELD(workers.sleep_us_max),
		RESTART,
		.min = 1,
		.max = 1000,
		.fallback = "50",
		.help = "The longest sleep of an adaptive worker, in microseconds."},
	{.path = "workers.crypto_engine",
		.type = SCHEMA_WORD,
		FIELD(workers.crypto_engine),
		RESTART,
		.words = crypto_words,
		.fallback = "\"auto\"",
		.help = "What seals and opens packets. auto takes libipsec-mb and the widest path "
			"of "
			"the\n"
			"CPU, and for AES-GCM to four and more receivers its own sealer where the\n"
			"CPU has AVX-512, VAES and VPCLMULQDQ; ipsec-mb the library alone; "
			"libsrtp2\n"
			"is there to compare with: slow, and for browsers only."},
	{.path = "workers.seal_check_every",
		.type = SCHEMA_NUMBER,
		FIELD(workers.seal_check_every),
		RESTART,
		.min = 0,
		.max = 1000000,
		.fallback = "0",
		.help = "The sealer's cross-check: of so many groups of four packets, one is "
			"sealed\n"
			"by libipsec-mb too and compared. A difference switches the sealer off, "
			"with\n"
			"a warning. 1000 costs next to nothing; 0 switches the check off."},
	{.path = "workers.capacity_pps",
		.type = SCHEMA_NUMBER,
		FIELD(workers.capacity_pps),
		RESTART,
		.min = 1,
		.max = 1000000000,
		.words = capacity_words,
		.zero = "a budget of zero: no worker would take anybody",
		.fallback = "\"auto\"",
		.help = "The budget of each worker: packets a second that it can seal. auto "
			"measures "
			"it at\n"
			"the first start, which takes 50 ms."},

	{.path = "memory", .help = "What the packet engine takes at start; it never grows."},
	{.path = "memory.hugepages",
		.type = SCHEMA_WORD,
		FIELD(memory.hugepages),
		RESTART,
		.words = hugepage_words,
		.fallback = "\"auto\"",
		.help = "auto uses them where there are enough; required refuses to start "
			"without."},
	{.path = "memory.mbufs",
		.type = SCHEMA_NUMBER,
		FIELD(memory.mbufs),
		RESTART,
		.min = DP_MBUFS_MIN,
		.max = DP_MBUFS_MAX,
		.fallback = "16384",
		.help = "Packet buffers of each worker, 2.5 KiB each."},

	{.path = "limits", .help = "Bounds of each worker; what is beyond is refused and counted."},
	{.path = "limits.sessions",
		.type = SCHEMA_NUMBER,
		FIELD(limits.sessions),
		RESTART,
		.min = 1,
		.max = DP_SESSIONS_MAX,
		.fallback = "4096",
		.help = "Members in voice channels."},
	{.path = "limits.guilds",
		.type = SCHEMA_NUMBER,
		FIELD(limits.guilds),
		RESTART,
		.min = 1,
		.max = DP_GUILDS_MAX,
		.fallback = "2000",
		.help = "Guilds with somebody in a voice channel."},
	{.path = "limits.legs",
		.type = SCHEMA_NUMBER,
		FIELD(limits.legs),
		RESTART,
		.min = 2,
		.max = DP_LEGS_MAX,
		.fallback = "65536",
		.help = "Legs: one is one speaker as one listener hears him."},

	{.path = "voice",
		.help = "The voice signaling, a WebSocket over TLS, that clients connect to."},
	{.path = "voice.listen",
		.type = SCHEMA_TEXTS,
		.min = 1,
		.max = CONFIG_LIST_MAX,
		ITEMS(voice.listen.item[0], voice.listen.count),
		RESTART,
		.fallback = "[ \"0.0.0.0:8443\" ]",
		.check = check_listen,
		.help = "Where it listens.",
		.allowed = "\"0.0.0.0:8443\" or \"[::]:8443\""},
	{.path = "voice.endpoint",
		TEXT,
		FIELD(voice.endpoint),
		RESTART,
		.fallback = "\"\"",
		.check = check_endpoint_or_empty,
		.help = "Where clients are sent to; empty: the first announced address, with the "
			"port of\n"
			"the first listener.",
		.allowed = "\"\", \"voice.example.org:8443\", \"203.0.113.7:8443\" or "
			   "\"[2001:db8::7]:8443\""},
	{.path = "voice.tls",
		.help = "The certificate that clients verify. Both or none; none: a leaf of a "
			"local\n"
			"authority, whose file is said at start."},
	{.path = "voice.tls.certificate",
		TEXT,
		FIELD(voice.tls_certificate),
		RESTART,
		.fallback = "\"\"",
		.check = check_path_or_empty,
		.help = "PEM, the leaf first, then what leads to its root.",
		.allowed = "\"\" or an absolute path"},
	{.path = "voice.tls.key",
		TEXT,
		FIELD(voice.tls_key),
		RESTART,
		.fallback = "\"\"",
		.check = check_path_or_empty,
		.help = "PEM, without a password.",
		.allowed = "\"\" or an absolute path"},
	{.path = "voice.modes",
		.type = SCHEMA_WORDS,
		.min = 1,
		.max = CONFIG_MODES_MAX,
		ITEMS(voice.mode[0], voice.mode_count),
		RESTART,
		.words = mode_words,
		.fallback = "[ \"aead_aes256_gcm_rtpsize\", \"aead_xchacha20_poly1305_rtpsize\" ]",
		.help = "Ciphers that clients may select, the preferred first."},
	{.path = "voice.heartbeat_ms",
		.type = SCHEMA_NUMBER,
		FIELD(voice.heartbeat_ms),
		RESTART,
		.min = 1000,
		.max = 60000,
		.fallback = "13750",
		.help = "How often clients are asked for a heartbeat, in milliseconds."},
	{.path = "voice.resume_window_s",
		.type = SCHEMA_NUMBER,
		FIELD(voice.resume_window_s),
		RESTART,
		.min = 0,
		.max = 3600,
		.fallback = "60",
		.help = "How long a session without its connection can be resumed, in seconds."},

	{.path = "gateway", .help = "The gateway that gives this node its guilds."},
	{.path = "gateway.url",
		TEXT,
		FIELD(gateway.url),
		RESTART,
		.fallback = "\"ws://127.0.0.1:8480/node\"",
		.check = check_ws_url,
		.help = "Where it waits for nodes.",
		.allowed = "ws://HOST:PORT/PATH or wss://HOST:PORT/PATH"},
	{.path = "gateway.secret_file",
		TEXT,
		FIELD(gateway.secret_file),
		RESTART,
		.fallback = "\"/etc/voicenode/node-secret\"",
		.check = check_path,
		.help = "A file whose first line is this node's secret; one of the gateway's "
			"node_secrets.",
		.allowed = "an absolute path"},
	{.path = "gateway.ca_file",
		TEXT,
		FIELD(gateway.ca_file),
		RESTART,
		.fallback = "\"\"",
		.check = check_path_or_empty,
		.help = "PEM of the authority that signed the gateway's certificate; empty: the "
			"system's.",
		.allowed = "\"\" or an absolute path"},

	{.path = "metrics", .help = "Prometheus text at http://LISTEN/metrics."},
	{.path = "metrics.listen",
		TEXT,
		FIELD(metrics.listen),
		RESTART,
		.fallback = "\"127.0.0.1:9477\"",
		.check = check_listen_or_empty,
		.help = "Where it listens; empty: nowhere.",
		.allowed = "\"\", \"127.0.0.1:9477\" or \"[::1]:9477\""},

	{.path = "control", .help = "What `voicenode status` and its like connect to."},
	{.path = "control.socket",
		TEXT,
		FIELD(control_socket),
		RESTART,
		.fallback = "\"/run/voicenode/node.sock\"",
		.check = check_socket,
		.help = "A UNIX socket.",
		.allowed = "an absolute path of at most 107 bytes"},

	{.path = "log", .help = "Lines on stderr."},
	{.path = "log.level",
		.type = SCHEMA_WORD,
		FIELD(log_level),
		RESTART,
		.words = level_words,
		.fallback = "\"info\"",
		.help = "The least important line that is written."},

	{.path = "eal", .help = "DPDK's own settings, for what has no key here."},
	{.path = "eal.extra_args",
		.type = SCHEMA_TEXTS,
		.min = 0,
		.max = CONFIG_LIST_MAX,
		ITEMS(eal_extra_args.item[0], eal_extra_args.count),
		RESTART,
		.fallback = "[ ]",
		.help = "Added to the arguments of rte_eal_init().",
		.allowed = "\"--log-level\", \"eal:8\" and their like, each a string"},
};

const char *const node_only_keys[] = {"node", "network", "workers", "memory", "limits", "voice",
	"metrics", "control", "eal", "gateway.url", "gateway.secret_file", "gateway.ca_file", NULL};

static const struct schema node_schema = {
	.title = "voicenode.cfg: every key of a voice node, with its default. What stands here is "
		 "what\n"
		 "holds where a file says nothing, so that a file needs only what differs.\n"
		 "`voicenode config check FILE` tells every mistake in one go.\n"
		 "[restart]: a change holds from the next start of the node.",
	.own_keys = node_only_keys,
	.other = {gateway_only_keys, "a gateway's configuration, not a node's",
		"check it with `voicenode config check FILE --gateway`, run it with "
		"`voicenode-gateway --config FILE`"},
	.rows = node_rows,
	.row_count = sizeof(node_rows) / sizeof(node_rows[0]),
	.struct_size = sizeof(struct node_config),
	.finish = node_config_finish,
};

int node_config_parse(const char *name, const char *text, size_t text_size,
	const struct config_facts *facts, struct node_config *config,
	struct config_problems *problems)
{
	return schema_load(&node_schema, name, text, text_size, facts, config, problems);
}

int node_config_sample(char **text)
{
	return schema_sample(&node_schema, text);
}

int node_config_endpoint(
	const struct node_config *config, const char *fallback, char *out, size_t out_size)
{
	const char *host =
		config->network.announce.count > 0 ? config->network.announce.item[0] : fallback;
	int size;

	if (config->voice.endpoint[0] != '\0')
		size = snprintf(out, out_size, "%s", config->voice.endpoint);
	else if (host == NULL || host[0] == '\0')
		return -EADDRNOTAVAIL;
	else
		size = snprintf(out, out_size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u",
			host, config->voice.listen_at[0].port);
	return size < 0 || (size_t)size >= out_size ? -ENOSPC : 0;
}

const char *config_mode_name(enum config_mode mode)
{
	return (unsigned)mode < CONFIG_MODES_MAX ? mode_words[mode] : "?";
}
