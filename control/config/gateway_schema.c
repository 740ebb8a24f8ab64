// SPDX-License-Identifier: BSD-3-Clause
//
// gateway.cfg: every key of the gateway. The order here is the order of the sample file. What must
// be true between keys is in gateway_check.c.

#include <stddef.h>

#include "config/schema.h"
#include "config/value.h"

#define FIELD_OF(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define ALLOCATED_OF(type, member, counter)                                                   \
	.offset = offsetof(struct type, member), .size = sizeof(*((struct type *)0)->member), \
	.count_offset = offsetof(struct type, counter)
#define TEXT .type = SCHEMA_TEXT, .max = CONFIG_TEXT_SIZE - 1
#define RESTART .restart = true

static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};

static const struct schema_row channel_rows[] = {
	{.path = "id", .type = SCHEMA_ID, FIELD_OF(config_channel, id)},
	{.path = "name",
		.type = SCHEMA_TEXT,
		.min = 1,
		.max = 100,
		FIELD_OF(config_channel, name),
		.allowed = "1 to 100 bytes of text"},
};

static const struct schema_row guild_rows[] = {
	{.path = "id", .type = SCHEMA_ID, FIELD_OF(config_guild, id)},
	{.path = "name",
		.type = SCHEMA_TEXT,
		.min = 1,
		.max = 100,
		FIELD_OF(config_guild, name),
		.allowed = "1 to 100 bytes of text"},
	{.path = "channels",
		.type = SCHEMA_GROUPS,
		.max = CONFIG_CHANNELS_MAX,
		ALLOCATED_OF(config_guild, channels, channel_count),
		.fallback = "( )",
		.rows = channel_rows,
		.row_count = sizeof(channel_rows) / sizeof(channel_rows[0])},
	{.path = "members",
		.type = SCHEMA_IDS,
		.max = CONFIG_MEMBERS_MAX,
		ALLOCATED_OF(config_guild, members, member_count),
		.fallback = "[ ]"},
	{.path = "moderators",
		.type = SCHEMA_IDS,
		.max = CONFIG_MEMBERS_MAX,
		ALLOCATED_OF(config_guild, moderators, moderator_count),
		.fallback = "[ ]"},
};

static const struct schema_row user_rows[] = {
	{.path = "id", .type = SCHEMA_ID, FIELD_OF(config_user, id)},
	{.path = "name",
		.type = SCHEMA_TEXT,
		.min = 1,
		.max = 100,
		FIELD_OF(config_user, name),
		.allowed = "1 to 100 bytes of text"},
	{.path = "bot", .type = SCHEMA_BOOL, FIELD_OF(config_user, bot), .fallback = "false"},
	{.path = "token",
		.type = SCHEMA_TEXT,
		.min = 1,
		.max = CONFIG_SECRET_SIZE - 1,
		FIELD_OF(config_user, token),
		.check = check_secret,
		.secret = true,
		.allowed = "1 to 127 printable characters without spaces"},
};

static const struct schema_row gateway_rows[] = {
	{.path = "gateway", .help = "What clients log in to and nodes register with."},
	{.path = "gateway.name",
		TEXT,
		FIELD_OF(gateway_config, name),
		RESTART,
		.fallback = "\"gateway\"",
		.check = check_name,
		.help = "The name that nodes, logs and metrics show.",
		.allowed = "1 to 63 letters, digits, '.', '_' and '-'"},
	{.path = "gateway.listen",
		TEXT,
		FIELD_OF(gateway_config, listen),
		RESTART,
		.fallback = "\"127.0.0.1:8480\"",
		.check = check_listen,
		.help = "Where it listens, for clients and for nodes.",
		.allowed = "\"127.0.0.1:8480\" or \"[::]:8480\""},
	{.path = "gateway.public_url",
		TEXT,
		FIELD_OF(gateway_config, public_url),
		RESTART,
		.fallback = "\"\"",
		.check = check_ws_url_or_empty,
		.help = "The URL that GET /gateway tells clients; empty: made of listen.",
		.allowed = "\"\", ws://HOST:PORT or wss://HOST:PORT"},
	{.path = "gateway.tls", .help = "Both or none; none: plain HTTP and WebSocket."},
	{.path = "gateway.tls.certificate",
		TEXT,
		FIELD_OF(gateway_config, tls_certificate),
		RESTART,
		.fallback = "\"\"",
		.check = check_path_or_empty,
		.help = "PEM, the leaf first, then what leads to its root.",
		.allowed = "\"\" or an absolute path"},
	{.path = "gateway.tls.key",
		TEXT,
		FIELD_OF(gateway_config, tls_key),
		RESTART,
		.fallback = "\"\"",
		.check = check_path_or_empty,
		.help = "PEM, without a password.",
		.allowed = "\"\" or an absolute path"},
	{.path = "gateway.node_secrets",
		.type = SCHEMA_TEXTS,
		.max = CONFIG_SECRETS_MAX,
		.offset = offsetof(struct gateway_config, node_secret),
		.size = CONFIG_SECRET_SIZE,
		.count_offset = offsetof(struct gateway_config, node_secret_count),
		RESTART,
		.fallback = "[ ]",
		.check = check_secret,
		.secret = true,
		.help = "Secrets that nodes may register with.",
		.allowed = "1 to 127 printable characters without spaces"},
	{.path = "gateway.node_secrets_file",
		TEXT,
		FIELD_OF(gateway_config, node_secrets_file),
		RESTART,
		.fallback = "\"\"",
		.check = check_path_or_empty,
		.help = "A file with more of them, one on a line.",
		.allowed = "\"\" or an absolute path"},
	{.path = "gateway.ping_ms",
		.type = SCHEMA_NUMBER,
		.min = 100,
		.max = 60000,
		FIELD_OF(gateway_config, ping_ms),
		RESTART,
		.fallback = "1000",
		.help = "How often a node is asked whether its workers turn, in milliseconds."},
	{.path = "gateway.dead_after_pings",
		.type = SCHEMA_NUMBER,
		.min = 1,
		.max = 60,
		FIELD_OF(gateway_config, dead_after_pings),
		RESTART,
		.fallback = "3",
		.help = "So many unanswered pings in a row, and the node is dead."},
	{.path = "gateway.socket",
		TEXT,
		FIELD_OF(gateway_config, socket),
		RESTART,
		.fallback = "\"/run/voicenode/gateway.sock\"",
		.check = check_socket,
		.help = "The operator's UNIX socket.",
		.allowed = "an absolute path of at most 107 bytes"},

	{.path = "log", .help = "Lines on stderr."},
	{.path = "log.level",
		.type = SCHEMA_WORD,
		FIELD_OF(gateway_config, log_level),
		RESTART,
		.words = level_words,
		.fallback = "\"info\"",
		.help = "The least important line that is written."},

	{.path = "guilds",
		.type = SCHEMA_GROUPS,
		.max = CONFIG_GUILDS_MAX,
		ALLOCATED_OF(gateway_config, guilds, guild_count),
		RESTART,
		.rows = guild_rows,
		.row_count = sizeof(guild_rows) / sizeof(guild_rows[0]),
		.fallback = "( )",
		.help = "Guilds with their voice channels. Members and moderators are ids of "
			"users; a\n"
			"moderator is a member who may mute, move and disconnect others.\n"
			"guilds = (\n"
			"\t{ id = \"100\"; name = \"Demo\";\n"
			"\t  channels = ( { id = \"101\"; name = \"General\"; }, { id = \"102\"; "
			"name = "
			"\"Games\"; } );\n"
			"\t  members = [ \"1\", \"2\" ]; moderators = [ \"1\" ]; }\n"
			");"},
	{.path = "users",
		.type = SCHEMA_GROUPS,
		.max = CONFIG_USERS_MAX,
		ALLOCATED_OF(gateway_config, users, user_count),
		RESTART,
		.rows = user_rows,
		.row_count = sizeof(user_rows) / sizeof(user_rows[0]),
		.fallback = "( )",
		.help = "Who may log in, and with which token. bot is false where it is left out.\n"
			"users = (\n"
			"\t{ id = \"1\"; name = \"anna\"; bot = true; token = "
			"\"a-long-random-token\"; },\n"
			"\t{ id = \"2\"; name = \"bert\"; bot = true; token = "
			"\"another-random-token\"; }\n"
			");"},
};

const char *const gateway_only_keys[] = {"guilds", "users", "gateway.name", "gateway.listen",
	"gateway.public_url", "gateway.tls", "gateway.node_secrets", "gateway.node_secrets_file",
	"gateway.ping_ms", "gateway.dead_after_pings", "gateway.socket", NULL};

static const struct schema gateway_schema = {
	.title = "gateway.cfg: every key of the gateway, with its default. What stands here is "
		 "what\n"
		 "holds where a file says nothing, so that a file needs only what differs.\n"
		 "`voicenode config check FILE --gateway` tells every mistake in one go.\n"
		 "[restart]: a change holds from the next start of the gateway.",
	.own_keys = gateway_only_keys,
	.other = {node_only_keys, "a node's configuration, not a gateway's",
		"check it with `voicenode config check FILE`, run it with `voicenode run --config "
		"FILE`"},
	.rows = gateway_rows,
	.row_count = sizeof(gateway_rows) / sizeof(gateway_rows[0]),
	.struct_size = sizeof(struct gateway_config),
	.finish = gateway_config_finish,
};

int gateway_config_parse(const char *name, const char *text, size_t text_size,
	struct gateway_config *config, struct config_problems *problems)
{
	return schema_load(&gateway_schema, name, text, text_size, NULL, config, problems);
}

int gateway_config_sample(char **text)
{
	return schema_sample(&gateway_schema, text);
}

void gateway_config_free(struct gateway_config *config)
{
	schema_free(gateway_rows, sizeof(gateway_rows) / sizeof(gateway_rows[0]), config,
		sizeof(*config));
}
