// SPDX-License-Identifier: BSD-3-Clause
//
// A whole node to look at: a registry with two guilds, a voice server, a progress memfd filled by
// the test, a gateway client that never connects. Included by one file of a test (see
// fake_voice.h).
#pragma once

#include "dplink/progress.h"
#include "metrics/node_view.h"
#include "register/gateway_client.h"
#include "support/fake_voice.h"

static struct node_config fake_config;
static struct node_view fake_view;
static struct progress fake_progress;
static struct dp_device fake_device;
static struct intent *fake_intent;
static struct registry *fake_registry;
static struct voice_server *fake_server;
static struct gateway_client *fake_gateway;
static struct dp_shm *fake_shm;
static int fake_progress_fd, fake_intent_fd;

const struct dp_device *dplink_device(const struct dplink *link)
{
	(void)link;
	return &fake_device;
}

bool dplink_is_up(const struct dplink *link)
{
	(void)link;
	return true;
}

uint32_t dplink_peer_epoch(const struct dplink *link)
{
	(void)link;
	return 3;
}

void dplink_stats(const struct dplink *link, struct dplink_stats *stats)
{
	(void)link;
	*stats = (struct dplink_stats){.sent = 9, .acked = 8, .refused = 1};
}

int ws_client_connect(struct loop *loop, const struct ws_client_params *params)
{
	(void)loop, (void)params;
	return 0;
}

void ws_conn_abort(struct ws_conn *conn)
{
	(void)conn;
}

static inline void fake_make_progress(void)
{
	const struct dp_shm header = {DP_SHM_LAYOUT, .worker_count = 2, .guild_count = 4,
		.session_count = 8, .leg_count = 16, .tsc_hz = 1000000000};
	size_t size = dp_shm_size(&header);

	fake_progress_fd = memfd_create("progress", MFD_CLOEXEC);
	DP_ASSERT(ftruncate(fake_progress_fd, (off_t)size) == 0);
	fake_shm = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fake_progress_fd, 0);
	DP_ASSERT(fake_shm != MAP_FAILED);
	*fake_shm = header;
	fake_shm->size = size;
	fake_shm->magic = DP_SHM_MAGIC;
	progress_init(&fake_progress, fake_progress_fd);
	DP_ASSERT(progress_map(&fake_progress) == 0);
}

static inline void fake_make_registry(void)
{
	const struct intent_params shape = {
		.worker_count = 2, .guild_count = 4, .room_count = 8, .session_count = 8};
	struct guild *guild;
	bool is_fresh;

	fake_intent_fd = memfd_create("intent", MFD_CLOEXEC);
	DP_ASSERT(intent_open(fake_intent_fd, &shape, &fake_intent, &is_fresh) == 0);
	DP_ASSERT(registry_create(fake_intent, &fake_registry) == 0);
	registry_seed(fake_registry, (const uint8_t[SSRC_KEY_SIZE]){5});
	DP_ASSERT(registry_guild_add(fake_registry, 1100000000000000100ull, 7, &guild) == 0);
	DP_ASSERT(registry_guild_add(fake_registry, 1100000000000000200ull, 8, &guild) == 0);
}

static inline void fake_node_create(void)
{
	const struct voice_server_params params = {
		.registry = NULL, .config = &fake_config, .ip = "203.0.113.7"};
	struct voice_server_params voice = params;
	struct gateway_client_params gateway = {.url = fake_config.gateway.url};

	snprintf(fake_config.node.name, sizeof(fake_config.node.name), "node\"1\\");
	snprintf(fake_config.node.region, sizeof(fake_config.node.region), "eu");
	snprintf(fake_config.gateway.url, sizeof(fake_config.gateway.url), "ws://gw:1/node");
	snprintf(fake_device.driver, sizeof(fake_device.driver), "net_af_packet");
	fake_config.workers.count = 2;
	fake_config.workers.port[0] = 50000;
	fake_config.workers.port[1] = 50001;
	fake_config.workers.core[1] = 1;
	fake_config.voice.heartbeat_ms = 10000;
	fake_make_progress();
	fake_make_registry();
	voice.registry = fake_registry;
	DP_ASSERT(voice_server_create(&voice, &fake_server) == 0);
	DP_ASSERT(gateway_client_create(&gateway, &fake_gateway) == 0);
	fake_view = (struct node_view){.config = &fake_config,
		.registry = fake_registry,
		.progress = &fake_progress,
		.voice = fake_server,
		.gateway = fake_gateway,
		.start_time = 1700000000,
		.dataplane_restarts = 2,
		.control_restarts = 1};
}

static inline void fake_node_destroy(void)
{
	gateway_client_destroy(fake_gateway);
	voice_server_destroy(fake_server);
	registry_destroy(fake_registry);
	intent_close(fake_intent);
	progress_fini(&fake_progress);
	munmap(fake_shm, fake_shm->size);
	close(fake_progress_fd);
	close(fake_intent_fd);
}

// A member of the first guild, in 'channel'.
static inline struct session *fake_member(uint64_t user, uint64_t channel, uint32_t speaking)
{
	static const uint8_t digest[INTENT_DIGEST_SIZE];
	struct registry_session_params params = {
		.user_id = user, .session_id = "s", .token_digest = digest, .version = 8};
	struct session *session;

	params.guild = registry_guild_find(fake_registry, 1100000000000000100ull);
	params.worker = params.guild->worker;
	params.part = registry_room_part_get(fake_registry, params.guild, params.worker, channel);
	DP_ASSERT(registry_session_add(fake_registry, &params, &session) == 0);
	session->intent->speaking = speaking;
	return session;
}
