// SPDX-License-Identifier: BSD-3-Clause
//
// Control's half of the page: identity, guilds and sessions, the voice gateway, the main gateway.

#include "metrics/metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "admission/admission.h"
#include "config/config.h"
#include "dplink/dplink.h"
#include "dplink/resync.h"
#include "metrics/metrics_parts.h"
#include "metrics/metrics_text.h"
#include "metrics/node_view.h"
#include "register/gateway_client.h"
#include "registry/registry.h"
#include "signaling/voice_codec.h"
#include "signaling/voice_server.h"
#include "signaling/voice_stats.h"

static void identity(struct metrics_text *text, const struct node_view *view)
{
	const struct dp_device *device = dplink_device(resync_link(view->resync));
	struct metrics_label labels[] = {{"version", VN_VERSION}, {"node", view->config->node.name},
		{"region", view->config->node.region}, {"crypto", device->crypto}};

	metrics_family(
		text, "build_info", METRICS_GAUGE, "Build and runtime facts; value is always 1.");
	metrics_sample(text, "build_info", labels, 4, 1);
	metrics_family(text, "start_time_seconds", METRICS_GAUGE,
		"Unix time at which the process started.");
	metrics_sample(text, "start_time_seconds", NULL, 0, (double)view->start_time);
	metrics_family(text, "control_restarts_total", METRICS_COUNTER,
		"Times the control process was started again.");
	metrics_sample_u64(text, "control_restarts_total", NULL, 0, view->control_restarts);
	metrics_family(text, "node_state", METRICS_GAUGE, "Node state as a one-hot set.");
	metrics_sample(text, "node_state", &(struct metrics_label){"state", "serving"}, 1,
		node_link_serves(view->link) ? 1 : 0);
	metrics_sample(text, "node_state", &(struct metrics_label){"state", "no_link"}, 1,
		node_link_serves(view->link) ? 0 : 1);
}

static void load(struct metrics_text *text, const struct node_view *view)
{
	uint32_t worker_count = registry_params(view->registry)->worker_count;
	uint64_t states[4] = {0}; // by phase; the last: detached
	static const char *const names[4] = {"joining", "ready", "active", "detached"};
	struct session *session = NULL;
	char number[METRICS_NUMBER_SIZE];

	metrics_family(text, "guilds", METRICS_GAUGE, "Guilds hosted now, by worker.");
	for (uint32_t worker = 0; worker < worker_count; worker++) {
		struct metrics_label label = {"worker", number};
		struct registry_load of;

		registry_load(view->registry, worker, &of);
		snprintf(number, sizeof(number), "%u", worker);
		metrics_sample_u64(text, "guilds", &label, 1, of.guilds);
	}
	while ((session = registry_session_next(view->registry, session)) != NULL) {
		const struct intent_session *intent = session->intent;

		if (intent->state == INTENT_LIVE)
			states[session->conn == NULL ? 3 : intent->phase % 3]++;
	}
	metrics_family(text, "sessions", METRICS_GAUGE, "Voice sessions, by state and transport.");
	for (unsigned state = 0; state < 4; state++) {
		struct metrics_label labels[] = {{"state", names[state]}, {"transport", "udp"}};

		metrics_sample_u64(text, "sessions", labels, 2, states[state]);
	}
}

static void budget_family(struct metrics_text *text, const struct node_view *view, const char *name,
	const char *help, size_t offset)
{
	char number[METRICS_NUMBER_SIZE];
	struct metrics_label label = {"worker", number};

	metrics_family(text, name, METRICS_GAUGE, help);
	for (uint32_t worker = 0; worker < registry_params(view->registry)->worker_count;
		worker++) {
		struct registry_load of;

		registry_load(view->registry, worker, &of);
		snprintf(number, sizeof(number), "%u", worker);
		metrics_sample_u64(text, name, &label, 1,
			*(const uint64_t *)(const void *)((const char *)&of + offset));
	}
}

static void budgets(struct metrics_text *text, const struct node_view *view)
{
	budget_family(text, view, "worker_budget_pps",
		"Packets per second up to which members are admitted to the worker.",
		offsetof(struct registry_load, budget_pps));
	budget_family(text, view, "worker_used_pps",
		"Packets per second that the worker's members are expected to cost.",
		offsetof(struct registry_load, used_pps));
}

static void messages(struct metrics_text *text, const struct voice_stats *stats)
{
	metrics_family(text, "ws_messages_total", METRICS_COUNTER,
		"Voice gateway messages, by direction and opcode name.");
	for (unsigned op = 0; op < VOICE_OP_COUNT; op++) {
		const char *label = voice_op_label((enum voice_op)op);
		struct metrics_label in[] = {{"direction", "rx"}, {"op", label}};
		struct metrics_label out[] = {{"direction", "tx"}, {"op", label}};

		if (label == NULL)
			continue;
		if (stats->messages_in[op] != 0)
			metrics_sample_u64(
				text, "ws_messages_total", in, 2, stats->messages_in[op]);
		if (stats->messages_out[op] != 0)
			metrics_sample_u64(
				text, "ws_messages_total", out, 2, stats->messages_out[op]);
	}
	metrics_family(text, "ws_messages_malformed_total", METRICS_COUNTER,
		"Voice gateway frames that could not be decoded.");
	metrics_sample_u64(text, "ws_messages_malformed_total", NULL, 0, stats->malformed);
}

static void closes(struct metrics_text *text, const struct voice_stats *stats)
{
	char code[METRICS_NUMBER_SIZE];
	struct metrics_label label = {"code", code};

	metrics_family(text, "ws_closes_total", METRICS_COUNTER,
		"Voice gateway connections closed by the node, by close code.");
	for (unsigned index = 0; index < VOICE_CLOSE_CODES; index++) {
		if (stats->closes[index] == 0)
			continue;
		if (index == VOICE_CLOSE_CODES - 1)
			snprintf(code, sizeof(code), "other");
		else
			snprintf(code, sizeof(code), "%u", 4000 + index);
		metrics_sample_u64(text, "ws_closes_total", &label, 1, stats->closes[index]);
	}
}

static void refusals(struct metrics_text *text, const struct admission_stats *stats)
{
	metrics_family(text, "ws_refused_total", METRICS_COUNTER,
		"Voice gateway connections refused for what their address did, by reason.");
	metrics_sample_u64(text, "ws_refused_total",
		&(struct metrics_label){"reason", "too_many_unidentified"}, 1, stats->crowded);
	metrics_sample_u64(text, "ws_refused_total",
		&(struct metrics_label){"reason", "too_many_wrong_tokens"}, 1, stats->blocked);
	metrics_family(text, "ws_wrong_tokens_total", METRICS_COUNTER,
		"Identifies and Resumes with a token that is not the session's.");
	metrics_sample_u64(text, "ws_wrong_tokens_total", NULL, 0, stats->failures);
}

#define JOIN_BOUND_TEXT(ms) (ms),
static void joins(struct metrics_text *text, const struct voice_stats *stats)
{
	static const unsigned bounds[] = {VOICE_JOIN_BOUNDS(JOIN_BOUND_TEXT)};
	char bound[METRICS_NUMBER_SIZE];
	struct metrics_label label = {"le", bound};
	uint64_t count = 0;

	metrics_family(text, "join_seconds", METRICS_HISTOGRAM,
		"Time from Identify to Session Description.");
	for (unsigned bucket = 0; bucket < VOICE_JOIN_BUCKETS; bucket++) {
		count += stats->join_buckets[bucket];
		if (bucket == VOICE_JOIN_BUCKETS - 1)
			snprintf(bound, sizeof(bound), "+Inf");
		else
			snprintf(bound, sizeof(bound), "%g", bounds[bucket] / 1000.0);
		metrics_sample_u64(text, "join_seconds_bucket", &label, 1, count);
	}
	metrics_sample(text, "join_seconds_sum", NULL, 0, (double)stats->join_sum_ms / 1000.0);
	metrics_sample_u64(text, "join_seconds_count", NULL, 0, stats->join_count);
	metrics_family(text, "resumes_total", METRICS_COUNTER, "Resumes of clients, by result.");
	metrics_sample_u64(
		text, "resumes_total", &(struct metrics_label){"result", "ok"}, 1, stats->resumed);
	metrics_sample_u64(text, "resumes_total", &(struct metrics_label){"result", "refused"}, 1,
		stats->resumes_refused);
}

static void gateway(struct metrics_text *text, const struct node_view *view)
{
	const struct gateway_client_stats *stats;
	struct metrics_label label = {"gateway", view->config->gateway.url};

	if (view->gateway == NULL)
		return;
	stats = gateway_client_stats(view->gateway);
	metrics_family(text, "gateway_connected", METRICS_GAUGE,
		"1 while the node is registered with a gateway.");
	metrics_sample(text, "gateway_connected", &label, 1,
		gateway_client_is_registered(view->gateway) ? 1 : 0);
	metrics_family(text, "gateway_connects_total", METRICS_COUNTER,
		"Connections to the gateway that were made.");
	metrics_sample_u64(text, "gateway_connects_total", &label, 1, stats->connects);
	metrics_family(text, "gateway_pings_total", METRICS_COUNTER,
		"Liveness pings of the gateway, by answer.");
	metrics_sample_u64(text, "gateway_pings_total", &(struct metrics_label){"answer", "given"},
		1, stats->pings - stats->pings_withheld);
	metrics_sample_u64(text, "gateway_pings_total",
		&(struct metrics_label){"answer", "withheld"}, 1, stats->pings_withheld);
}

void metrics_render(const struct node_view *view, struct metrics_text *text)
{
	const struct voice_stats *stats = voice_server_stats(view->voice);
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	identity(text, view);
	load(text, view);
	budgets(text, view);
	metrics_render_dataplane(
		view, text, (uint64_t)begin.tv_sec * 1000 + (uint64_t)begin.tv_nsec / 1000000);
	metrics_family(text, "ws_connections", METRICS_GAUGE, "Open voice gateway sockets.");
	metrics_sample_u64(text, "ws_connections", NULL, 0, stats->connections);
	messages(text, stats);
	closes(text, stats);
	refusals(text, voice_server_admission(view->voice));
	joins(text, stats);
	gateway(text, view);
	clock_gettime(CLOCK_MONOTONIC, &end);
	metrics_family(text, "scrape_duration_seconds", METRICS_GAUGE,
		"Time that putting this page together took.");
	metrics_sample(text, "scrape_duration_seconds", NULL, 0,
		(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9);
}
