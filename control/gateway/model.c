// SPDX-License-Identifier: BSD-3-Clause
//
// The tables of model.h: arrays sorted once, searched by halving.
#include "gateway/model.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

void digest_of(const char *text, uint8_t digest[DIGEST_SIZE])
{
	unsigned size = 0;

	EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL);
}

// Every row begins with its uint64_t id.
static int id_compare(const void *a, const void *b)
{
	uint64_t left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return left < right ? -1 : left > right;
}

static int member_compare(const void *a, const void *b)
{
	uint64_t left = ((const struct member *)a)->user->id;
	uint64_t right = ((const struct member *)b)->user->id;

	return left < right ? -1 : left > right;
}

static int member_find(const void *key, const void *row)
{
	uint64_t id = *(const uint64_t *)key, other = ((const struct member *)row)->user->id;

	return id < other ? -1 : id > other;
}

static int digest_compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

static int users_init(struct model *model, struct gateway_config *config)
{
	model->users = calloc(config->user_count + 1u, sizeof(model->users[0]));
	model->tokens = calloc(config->user_count + 1u, sizeof(model->tokens[0]));
	if (model->users == NULL || model->tokens == NULL)
		return -ENOMEM;
	model->user_count = config->user_count;
	for (uint32_t i = 0; i < config->user_count; i++)
		model->users[i] = (struct user){.id = config->users[i].id,
			.name = config->users[i].name,
			.bot = config->users[i].bot};
	qsort(model->users, model->user_count, sizeof(model->users[0]), id_compare);
	for (uint32_t i = 0; i < config->user_count; i++) {
		struct config_user *from = &config->users[i];

		digest_of(from->token, model->tokens[i].digest);
		model->tokens[i].user = model_user(model, from->id);
		explicit_bzero(from->token, sizeof(from->token));
	}
	qsort(model->tokens, model->user_count, sizeof(model->tokens[0]), digest_compare);
	return 0;
}

static int members_init(const struct model *model, struct guild *guild)
{
	const struct config_guild *config = guild->config;

	guild->members = calloc(config->member_count + 1u, sizeof(guild->members[0]));
	if (guild->members == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->member_count; i++) {
		struct user *user = model_user(model, config->members[i]);

		if (user != NULL)
			guild->members[guild->member_count++].user = user;
	}
	qsort(guild->members, guild->member_count, sizeof(guild->members[0]), member_compare);
	for (uint32_t i = 0; i < config->moderator_count; i++) {
		struct member *member = guild_member(guild, config->moderators[i]);

		if (member != NULL)
			member->moderator = true;
	}
	return 0;
}

int model_init(struct model *model, struct gateway_config *config)
{
	int error;

	*model = (struct model){0};
	error = users_init(model, config);
	if (error != 0)
		goto fail;
	model->guilds = calloc(config->guild_count + 1u, sizeof(model->guilds[0]));
	error = -ENOMEM;
	if (model->guilds == NULL)
		goto fail;
	for (uint32_t i = 0; i < config->guild_count; i++) {
		struct guild *guild = &model->guilds[model->guild_count++];

		*guild = (struct guild){.id = config->guilds[i].id, .config = &config->guilds[i]};
		error = members_init(model, guild);
		if (error != 0)
			goto fail;
	}
	qsort(model->guilds, model->guild_count, sizeof(model->guilds[0]), id_compare);
	return 0;
fail:
	model_fini(model);
	return error;
}

void model_fini(struct model *model)
{
	for (uint32_t i = 0; i < model->guild_count; i++) {
		struct guild *guild = &model->guilds[i];

		if (guild->members != NULL)
			explicit_bzero(
				guild->members, guild->member_count * sizeof(guild->members[0]));
		free(guild->members);
	}
	free(model->guilds);
	free(model->tokens);
	free(model->users);
	*model = (struct model){0};
}

struct user *model_user(const struct model *model, uint64_t id)
{
	return bsearch(&id, model->users, model->user_count, sizeof(model->users[0]), id_compare);
}

struct user *model_user_by_token(const struct model *model, const char *token)
{
	uint8_t digest[DIGEST_SIZE];
	const struct token_row *row;

	digest_of(token, digest);
	row = bsearch(
		digest, model->tokens, model->user_count, sizeof(model->tokens[0]), digest_compare);
	return row == NULL ? NULL : row->user;
}

struct guild *model_guild(const struct model *model, uint64_t id)
{
	return bsearch(
		&id, model->guilds, model->guild_count, sizeof(model->guilds[0]), id_compare);
}

struct member *guild_member(const struct guild *guild, uint64_t user_id)
{
	return bsearch(&user_id, guild->members, guild->member_count, sizeof(guild->members[0]),
		member_find);
}

const struct config_channel *guild_channel(const struct guild *guild, uint64_t channel_id)
{
	for (uint32_t i = 0; i < guild->config->channel_count; i++)
		if (guild->config->channels[i].id == channel_id)
			return &guild->config->channels[i];
	return NULL;
}
