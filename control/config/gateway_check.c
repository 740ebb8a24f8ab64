// SPDX-License-Identifier: BSD-3-Clause
//
// What must be true between the keys of gateway.cfg: ids and secrets stand once, members are users,
// moderators are members. Sorted copies keep a file of a hundred thousand users fast.

#include <stdlib.h>
#include <string.h>

#include "config/schema.h"
#include "config/value.h"

// One id or token of the file and where it stands.
struct place {
	union {
		uint64_t id;
		const char *text;
	};
	uint32_t outer, inner; // indexes of the lists it lies in
};

static int by_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->outer != y->outer)
		return x->outer < y->outer ? -1 : 1;
	return (x->inner > y->inner) - (x->inner < y->inner);
}

static int by_text(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : (x->outer > y->outer) - (x->outer < y->outer);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

// A setting of the file by its path, and the path as problems show it.
struct locate {
	const config_setting_t *setting;
	char key[SCHEMA_KEY_SIZE];
};

static void locate(struct schema_file *file, struct locate *out, const char *list, uint32_t outer,
	const char *member, int64_t inner, const char *last)
{
	config_setting_t *at = config_lookup(file->tree, list);
	size_t size;

	at = at == NULL ? NULL : config_setting_get_elem(at, outer);
	at = at == NULL ? NULL : config_setting_get_member(at, member);
	if (inner >= 0)
		at = at == NULL ? NULL : config_setting_get_elem(at, (unsigned)inner);
	if (last != NULL)
		at = at == NULL ? NULL : config_setting_get_member(at, last);
	out->setting = at;
	size = (size_t)snprintf(out->key, sizeof(out->key), "%s[%u].%s", list, outer, member);
	if (inner >= 0)
		size += (size_t)snprintf(
			out->key + size, sizeof(out->key) - size, "[%u]", (unsigned)inner);
	if (last != NULL)
		snprintf(out->key + size, sizeof(out->key) - size, ".%s", last);
}

static void tell_twice(
	struct schema_file *file, const struct locate *first, const struct locate *second)
{
	if (first->setting == NULL)
		schema_problem(file, second->setting, second->key, "is the same as %s", first->key);
	else
		schema_problem(file, second->setting, second->key,
			"is the same as %s in line %u; allowed: each once", first->key,
			config_setting_source_line(first->setting));
}

static void check_guild_ids(struct schema_file *file, const struct gateway_config *config)
{
	struct place *places = calloc(config->guild_count + 1, sizeof(*places));
	struct locate first, second;
	uint32_t count = 0;

	if (places == NULL) {
		file->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < config->guild_count; i++)
		if (config->guilds[i].id != 0) // 0: refused and told
			places[count++] = (struct place){.id = config->guilds[i].id, .outer = i};
	qsort(places, count, sizeof(*places), by_id);
	for (uint32_t i = 1; i < count; i++) {
		if (places[i].id != places[i - 1].id)
			continue;
		locate(file, &first, "guilds", places[i - 1].outer, "id", -1, NULL);
		locate(file, &second, "guilds", places[i].outer, "id", -1, NULL);
		tell_twice(file, &first, &second);
	}
	free(places);
}

// Channel ids are unique in the whole file: clients name a channel without its guild.
static void check_channel_ids(struct schema_file *file, const struct gateway_config *config)
{
	struct locate first, second;
	struct place *places;
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->guild_count; i++)
		count += config->guilds[i].channel_count;
	places = calloc(count + 1, sizeof(*places));
	if (places == NULL) {
		file->no_memory = true;
		return;
	}
	count = 0;
	for (uint32_t i = 0; i < config->guild_count; i++)
		for (uint32_t j = 0; j < config->guilds[i].channel_count; j++)
			if (config->guilds[i].channels[j].id != 0)
				places[count++] = (struct place){
					.id = config->guilds[i].channels[j].id,
					.outer = i,
					.inner = j,
				};
	qsort(places, count, sizeof(*places), by_id);
	for (uint32_t i = 1; i < count; i++) {
		if (places[i].id != places[i - 1].id)
			continue;
		locate(file, &first, "guilds", places[i - 1].outer, "channels", places[i - 1].inner,
			"id");
		locate(file, &second, "guilds", places[i].outer, "channels", places[i].inner, "id");
		tell_twice(file, &first, &second);
	}
	free(places);
}

static void check_users(struct schema_file *file, const struct gateway_config *config)
{
	struct place *places = calloc(config->user_count + 1, sizeof(*places));
	struct locate first, second;
	uint32_t count = 0;

	if (places == NULL) {
		file->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < config->user_count; i++)
		if (config->users[i].id != 0)
			places[count++] = (struct place){.id = config->users[i].id, .outer = i};
	qsort(places, count, sizeof(*places), by_id);
	for (uint32_t i = 1; i < count; i++) {
		if (places[i].id != places[i - 1].id)
			continue;
		locate(file, &first, "users", places[i - 1].outer, "id", -1, NULL);
		locate(file, &second, "users", places[i].outer, "id", -1, NULL);
		tell_twice(file, &first, &second);
	}
	count = 0;
	for (uint32_t i = 0; i < config->user_count; i++)
		if (config->users[i].token[0] != '\0')
			places[count++] =
				(struct place){.text = config->users[i].token, .outer = i};
	qsort(places, count, sizeof(*places), by_text);
	for (uint32_t i = 1; i < count; i++) {
		if (strcmp(places[i].text, places[i - 1].text) != 0)
			continue;
		locate(file, &first, "users", places[i - 1].outer, "token", -1, NULL);
		locate(file, &second, "users", places[i].outer, "token", -1, NULL);
		tell_twice(file, &first, &second);
	}
	free(places);
}

// Every id of 'list' is in 'known' (sorted) and stands there once.
static void check_references(struct schema_file *file, uint32_t guild, const char *list,
	const uint64_t *ids, uint32_t id_count, const uint64_t *known, uint32_t known_count,
	const char *what)
{
	struct place *places = calloc(id_count + 1, sizeof(*places));
	struct locate first, second;

	if (places == NULL) {
		file->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < id_count; i++) {
		places[i] = (struct place){.id = ids[i], .outer = guild, .inner = i};
		if (ids[i] == 0 ||
			bsearch(&ids[i], known, known_count, sizeof(*known), by_number) != NULL)
			continue;
		locate(file, &first, "guilds", guild, list, i, NULL);
		schema_problem(file, first.setting, first.key,
			"found \"%llu\", which is no %s; allowed: the id of one",
			(unsigned long long)ids[i], what);
	}
	qsort(places, id_count, sizeof(*places), by_id);
	for (uint32_t i = 1; i < id_count; i++) {
		if (places[i].id == 0 || places[i].id != places[i - 1].id)
			continue;
		locate(file, &first, "guilds", guild, list, places[i - 1].inner, NULL);
		locate(file, &second, "guilds", guild, list, places[i].inner, NULL);
		tell_twice(file, &first, &second);
	}
	free(places);
}

static void check_members(struct schema_file *file, const struct gateway_config *config)
{
	uint64_t *users = calloc(config->user_count + 1, sizeof(*users));

	if (users == NULL) {
		file->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < config->user_count; i++)
		users[i] = config->users[i].id;
	qsort(users, config->user_count, sizeof(*users), by_number);
	for (uint32_t i = 0; i < config->guild_count; i++) {
		const struct config_guild *guild = &config->guilds[i];
		uint64_t *members = calloc(guild->member_count + 1, sizeof(*members));

		check_references(file, i, "members", guild->members, guild->member_count, users,
			config->user_count, "user of this file");
		if (members == NULL) {
			file->no_memory = true;
			break;
		}
		if (guild->member_count > 0)
			memcpy(members, guild->members, guild->member_count * sizeof(*members));
		qsort(members, guild->member_count, sizeof(*members), by_number);
		check_references(file, i, "moderators", guild->moderators, guild->moderator_count,
			members, guild->member_count, "member of this guild");
		free(members);
	}
	free(users);
}

static void check_secrets(struct schema_file *file, const struct gateway_config *config)
{
	const config_setting_t *list = config_lookup(file->tree, "gateway.node_secrets");

	for (uint32_t i = 0; i < config->node_secret_count; i++) {
		char key[SCHEMA_KEY_SIZE];

		snprintf(key, sizeof(key), "gateway.node_secrets[%u]", i);
		for (uint32_t j = 0; j < i && config->node_secret[i][0] != '\0'; j++)
			if (strcmp(config->node_secret[i], config->node_secret[j]) == 0)
				schema_problem(file, config_setting_get_elem(list, i), key,
					"is the same as another; allowed: each once");
	}
}

void gateway_config_finish(struct schema_file *file, void *base, const void *ctx)
{
	struct gateway_config *config = base;
	char why[SCHEMA_WHY_SIZE];
	bool has_certificate = config->tls_certificate[0] != '\0';
	(void)ctx;

	(void)value_host_port(config->listen, true, &config->listen_at, why, sizeof(why));
	if (has_certificate != (config->tls_key[0] != '\0'))
		schema_problem_key(file,
			has_certificate ? "gateway.tls.certificate" : "gateway.tls.key",
			"found without gateway.tls.%s; allowed: both, or none for plain text",
			has_certificate ? "key" : "certificate");
	check_secrets(file, config);
	check_guild_ids(file, config);
	check_channel_ids(file, config);
	check_users(file, config);
	check_members(file, config);
}
