// SPDX-License-Identifier: BSD-3-Clause
//
// `status` and `guilds` as JSON.

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "dplink/dplink.h"
#include "dplink/progress.h"
#include "dplink/resync.h"
#include "json/json.h"
#include "metrics/ledger.h"
#include "metrics/node_view.h"
#include "operator/operator.h"
#include "register/gateway_client.h"
#include "registry/registry.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static const char *link_word(enum node_link link)
{
	static const char *const words[] = {"unknown", "up", "down", "no_carrier", "gone"};

	return words[link];
}

static json_t *device_json(const struct node_view *view)
{
	const struct dp_device *device = dplink_device(resync_link(view->resync));

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b}", "driver", device->driver,
		"name", device->name, "link", link_word(view->link), "rung", device->rung,
		"steering", device->steering, "queues", (json_int_t)device->queue_count, "crypto",
		device->crypto, "drops_countable", device->drops_countable != 0);
}

static json_t *gateway_json(const struct node_view *view)
{
	bool is_registered = view->gateway != NULL && gateway_client_is_registered(view->gateway);
	uint32_t ping_ms = view->gateway == NULL ? 0 : gateway_client_ping_ms(view->gateway);

	return json_pack("{s:b, s:s, s:I}", "connected", is_registered, "url",
		view->config->gateway.url, "ping_ms", (json_int_t)ping_ms);
}

static json_t *dataplane_json(const struct node_view *view)
{
	const struct dplink *link = resync_link(view->resync);

	return json_pack("{s:b, s:I, s:I}", "up", dplink_is_up(link), "epoch",
		(json_int_t)dplink_peer_epoch(link), "restarts",
		(json_int_t)view->dataplane_restarts);
}

static json_t *worker_json(const struct node_view *view, uint32_t worker)
{
	const struct dp_device *device = dplink_device(resync_link(view->resync));
	const struct node_config *config = view->config;
	struct registry_load load;
	struct ledger ledger;

	registry_load(view->registry, worker, &load);
	ledger_read_worker(view->progress, worker, &ledger);
	return json_pack("{s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I}",
		"worker", (json_int_t)worker, "core", (json_int_t)config->workers.core[worker],
		"port", (json_int_t)config->workers.port[worker], "turning",
		progress_turns(view->progress, worker, now_ms()), "guilds", (json_int_t)load.guilds,
		"sessions", (json_int_t)load.sessions, "received", (json_int_t)ledger.received,
		"sent", (json_int_t)ledger.sent, "dropped",
		(json_int_t)(ledger.by_class[DP_CLASS_DROPPED] +
			     ledger.by_class[DP_CLASS_NOT_SENT]),
		"busy_ratio", view->progress->worker[worker].busy_ratio, "capacity_pps",
		(json_int_t)device->capacity_pps[worker], "budget_pps", (json_int_t)load.budget_pps,
		"used_pps", (json_int_t)load.used_pps);
}

static json_t *workers_json(const struct node_view *view)
{
	json_t *list = json_array();

	for (uint32_t worker = 0; worker < view->config->workers.count; worker++)
		json_array_append_new(list, worker_json(view, worker));
	return list;
}

static json_t *ledger_json(const struct ledger *ledger)
{
	json_t *out = json_object();

	json_object_set_new(out, "received", number(ledger->received));
	json_object_set_new(out, "handed_in", number(ledger->handed_in));
	for (unsigned klass = DP_CLASS_FORWARDED; klass < DP_CLASS_COUNT; klass++)
		json_object_set_new(out, ledger_class_label((enum dp_class)klass),
			number(ledger->by_class[klass]));
	json_object_set_new(out, "jobs", number(ledger->jobs));
	json_object_set_new(out, "originated", number(ledger->originated));
	json_object_set_new(out, "sent", number(ledger->sent));
	json_object_set_new(out, "balanced", json_boolean(ledger->is_balanced));
	return out;
}

static json_t *drops_json(const struct ledger *ledger)
{
	json_t *out = json_object();

	for (unsigned verdict = DP_OK + 1; verdict < DP_VERDICT_COUNT; verdict++) {
		enum dp_class klass = dp_verdict_class((enum dp_verdict)verdict);

		if ((klass == DP_CLASS_DROPPED || klass == DP_CLASS_NOT_SENT) &&
			ledger->verdicts[verdict] != 0)
			json_object_set_new(out, dp_verdict_label((enum dp_verdict)verdict),
				number(ledger->verdicts[verdict]));
	}
	return out;
}

static json_t *status_json(const struct node_view *view)
{
	const struct node_config *config = view->config;
	struct ledger ledger;
	json_t *out = json_object();

	ledger_read(view->progress, &ledger);
	json_object_set_new(out, "node", json_string(config->node.name));
	json_object_set_new(out, "region", json_string(config->node.region));
	json_object_set_new(out, "version", json_string(VN_VERSION));
	json_object_set_new(
		out, "state", json_string(node_link_serves(view->link) ? "serving" : "no_link"));
	json_object_set_new(out, "uptime_s", number((now_ms() - view->start_ms) / 1000));
	json_object_set_new(out, "device", device_json(view));
	json_object_set_new(out, "gateway", gateway_json(view));
	json_object_set_new(out, "dataplane", dataplane_json(view));
	json_object_set_new(
		out, "control", json_pack("{s:I}", "restarts", (json_int_t)view->control_restarts));
	json_object_set_new(out, "workers", workers_json(view));
	json_object_set_new(out, "packets_in", number(ledger.received));
	json_object_set_new(out, "packets_out", number(ledger.sent));
	json_object_set_new(out, "ledger", ledger_json(&ledger));
	json_object_set_new(out, "drops", drops_json(&ledger));
	return out;
}

static json_t *guild_json(const struct node_view *view, const struct guild *guild)
{
	json_t *workers = json_array(); // home first
	uint64_t in = 0, out = 0;
	unsigned channels = 0, speakers = 0;

	for (const struct room *room = guild->rooms; room != NULL; room = room->guild_next)
		channels++;
	for (const struct session *session = guild->sessions; session != NULL;
		session = session->guild_next)
		if (session->intent->speaking != 0)
			speakers++;
	json_array_append_new(workers, number(guild->worker));
	for (const struct guild_part *part = guild->parts; part != NULL; part = part->next) {
		const struct dp_guild_shm *shm = progress_guild(
			view->progress, part->worker, part->index, part->intent->generation);

		if (part->worker != guild->worker)
			json_array_append_new(workers, number(part->worker));
		if (shm == NULL)
			continue;
		in += __atomic_load_n(&shm->packets_in, __ATOMIC_RELAXED);
		out += __atomic_load_n(&shm->packets_out, __ATOMIC_RELAXED);
	}
	return json_pack("{s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I}", "guild",
		json_id(guild->intent->guild_id), "epoch", (json_int_t)guild->intent->epoch,
		"worker", (json_int_t)guild->worker, "workers", workers, "members",
		(json_int_t)guild->session_count, "speakers", (json_int_t)speakers, "channels",
		(json_int_t)channels, "packets_in", (json_int_t)in, "packets_out", (json_int_t)out);
}

static json_t *guilds_json(const struct node_view *view)
{
	json_t *list = json_array();

	for (const struct guild *guild = registry_guilds(view->registry); guild != NULL;
		guild = guild->all_next)
		json_array_append_new(list, guild_json(view, guild));
	return json_pack("{s:o}", "guilds", list);
}

char *operator_answer(const struct node_view *view, const char *request, size_t size)
{
	char why[128] = "\"cmd\" is missing; known: status, guilds";
	json_t *root = json_decode(request, size, why, sizeof(why));
	const char *cmd = json_get_string(root, "cmd");
	json_t *answer;

	if (cmd != NULL && strcmp(cmd, "status") == 0)
		answer = status_json(view);
	else if (cmd != NULL && strcmp(cmd, "guilds") == 0)
		answer = guilds_json(view);
	else
		answer = json_pack("{s:s}", "error",
			cmd == NULL ? why : "unknown command; known: status, guilds");
	json_decref(root);
	return json_encode(answer);
}
