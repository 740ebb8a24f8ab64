// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any bytes as voicenode.cfg and as gateway.cfg. Asserts what the programs rely on
// without looking again: bounds, cores that exist, names with an end, references that lead
// somewhere.

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(const struct node_config *config, const struct config_facts *facts)
{
	REQUIRE(config->workers.count >= 1 && config->workers.count <= CONFIG_WORKERS_MAX);
	for (uint32_t i = 0; i < config->workers.count; i++) {
		REQUIRE(config->workers.port[i] != 0);
		REQUIRE(config->workers.port[i] == config->workers.port[0] + i);
		REQUIRE(CPU_ISSET(config->workers.core[i], &facts->cpus));
	}
	REQUIRE(config->network.prefix_count <= config->network.addresses.count);
	REQUIRE(config->network.addresses_host || config->network.prefix_count > 0);
	REQUIRE(config->network.device_arg[0] != '\0' ||
		config->network.device_kind == CONFIG_DEVICE_NULL);
	REQUIRE(config->voice.listen.count >= 1 && config->voice.listen.count <= CONFIG_LIST_MAX);
	for (uint32_t i = 0; i < config->voice.listen.count; i++)
		REQUIRE(config->voice.listen_at[i].port != 0);
	REQUIRE(config->voice.mode_count >= 1 && config->voice.mode_count <= CONFIG_MODES_MAX);
	for (uint32_t i = 0; i < config->voice.mode_count; i++)
		REQUIRE(config->voice.mode[i] < CONFIG_MODES_MAX);
	REQUIRE((config->voice.tls_key[0] == '\0') == (config->voice.tls_certificate[0] == '\0'));
	REQUIRE(config->node.name[0] != '\0' && config->log_level < LOG_LEVEL_COUNT);
	REQUIRE(config->limits.sessions >= 1 && config->limits.sessions <= 131072);
	REQUIRE(config->memory.mbufs >= 1024 && config->memory.mbufs <= 262144);
}

static bool has_id(const uint64_t *ids, uint32_t count, uint64_t id)
{
	for (uint32_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static bool has_user(const struct gateway_config *config, uint64_t id)
{
	for (uint32_t i = 0; i < config->user_count; i++)
		if (config->users[i].id == id)
			return true;
	return false;
}

static void check_gateway(const struct gateway_config *config)
{
	REQUIRE(config->listen_at.port != 0 && config->ping_ms >= 100);
	for (uint32_t i = 0; i < config->user_count; i++) {
		REQUIRE(config->users[i].id != 0 && config->users[i].token[0] != '\0');
		for (uint32_t j = 0; j < i; j++) {
			REQUIRE(config->users[i].id != config->users[j].id);
			REQUIRE(strcmp(config->users[i].token, config->users[j].token) != 0);
		}
	}
	for (uint32_t i = 0; i < config->guild_count; i++) {
		const struct config_guild *guild = &config->guilds[i];

		REQUIRE(guild->id != 0 && guild->name[0] != '\0');
		for (uint32_t j = 0; j < guild->channel_count; j++)
			REQUIRE(guild->channels[j].id != 0 && guild->channels[j].name[0] != '\0');
		for (uint32_t j = 0; j < guild->member_count; j++)
			REQUIRE(has_user(config, guild->members[j]));
		for (uint32_t j = 0; j < guild->moderator_count; j++)
			REQUIRE(has_id(guild->members, guild->member_count, guild->moderators[j]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct node_config node;
	static struct gateway_config gateway;
	struct config_facts facts = {.hostname = "fuzz"};
	struct config_problems problems = {0};
	// Exactly as long as the input, so that a read beyond it is found; never NULL.
	char *text = malloc(size == 0 ? 1 : size);

	REQUIRE(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	CPU_ZERO(&facts.cpus);
	CPU_SET(1, &facts.cpus);
	CPU_SET(6, &facts.cpus);
	if (node_config_parse("f", text, size, &facts, &node, &problems) == 0)
		check_node(&node, &facts);
	else
		REQUIRE(problems.count > 0 && problems.text != NULL);
	config_problems_free(&problems);
	if (gateway_config_parse("f", text, size, &gateway, &problems) == 0)
		check_gateway(&gateway);
	else
		REQUIRE(problems.count > 0 && problems.text != NULL);
	config_problems_free(&problems);
	gateway_config_free(&gateway);
	free(text);
	return 0;
}
