// SPDX-License-Identifier: BSD-3-Clause
//
// The operator's answers of operator.h.
#include "gateway/operator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static json_t *nodes_list(const struct core *core)
{
	static struct core_node_info rows[CORE_NODES_MAX];
	uint32_t count = core_nodes(core, rows, CORE_NODES_MAX);
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "node",
				      rows[i].name, "region", rows[i].region, "endpoint",
				      rows[i].endpoint, "alive", rows[i].linked, "guilds",
				      (json_int_t)rows[i].guild_count, "voices",
				      (json_int_t)rows[i].voice_count, "workers",
				      (json_int_t)rows[i].worker_count, "unanswered_pings",
				      (json_int_t)rows[i].unanswered_pings, "capacity_pps",
				      (json_int_t)rows[i].budget.capacity_pps, "budget_pps",
				      (json_int_t)rows[i].budget.budget_pps, "used_pps",
				      (json_int_t)rows[i].budget.used_pps));
	return list;
}

static json_t *status_object(const struct hub *hub)
{
	uint32_t voice_count = 0, assigned_count = 0;

	for (uint32_t i = 0; i < hub->model->guild_count; i++) {
		voice_count += hub->model->guilds[i].voice_count;
		assigned_count += hub->model->guilds[i].node != NULL;
	}
	return json_pack("{s:s,s:s,s:o,s:I,s:I,s:I,s:I,s:I}", "gateway", hub->config->name,
		"version", VN_VERSION, "nodes", nodes_list(hub->core), "guilds",
		(json_int_t)hub->model->guild_count, "guilds_assigned", (json_int_t)assigned_count,
		"voices", (json_int_t)voice_count, "sessions", (json_int_t)hub->session_count,
		"clients", (json_int_t)hub->client_count);
}

static json_t *guilds_list(const struct hub *hub)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < hub->model->guild_count; i++) {
		const struct guild *guild = &hub->model->guilds[i];

		json_array_append_new(
			list, json_pack("{s:o,s:s,s:s?,s:I,s:I,s:I}", "guild", json_id(guild->id),
				      "name", guild->config->name, "node",
				      guild->node == NULL ? NULL : core_node_name(guild->node),
				      "epoch", (json_int_t)guild->epoch, "members",
				      (json_int_t)guild->member_count, "voices",
				      (json_int_t)guild->voice_count));
	}
	return list;
}

struct metric {
	const char *name, *type, *help;
	uint64_t value;
};

static void metrics_print(FILE *out, const struct hub *hub)
{
	const struct core_stats *core = core_stats(hub->core);
	const struct hub_stats *stats = &hub->stats;
	const struct admission_stats none = {0};
	const struct admission_stats *admission =
		hub->admission == NULL ? &none : admission_stats(hub->admission);
	const struct metric metrics[] = {
		{"sessions", "gauge", "Sessions of clients, also without a connection.",
			hub->session_count},
		{"clients", "gauge", "Open connections of clients.", hub->client_count},
		{"nodes", "gauge", "Nodes, also those that were just lost.",
			core_nodes(hub->core, NULL, 0)},
		{"identifies_total", "counter", "Sessions begun.", stats->identifies},
		{"resumes_total", "counter", "Sessions resumed.", stats->resumes},
		{"invalid_sessions_total", "counter", "Resumes refused.", stats->invalid_sessions},
		{"auth_failures_total", "counter", "Unknown tokens.", stats->auth_failures},
		{"refused_unidentified_total", "counter",
			"Connections refused because their address had too many unidentified ones.",
			admission->crowded},
		{"refused_tokens_total", "counter",
			"Connections and Identifies refused after too many unknown tokens or "
			"secrets of their address.",
			admission->blocked},
		{"crowded_users_total", "counter",
			"Identifies of users who had as many sessions in use as they may.",
			stats->crowded_users},
		{"rate_limited_total", "counter", "Connections closed with 4008.",
			stats->rate_limited},
		{"zombies_total", "counter", "Connections closed with 4009.", stats->zombies},
		{"malformed_total", "counter", "Frames of clients that were no JSON object.",
			stats->malformed},
		{"unknown_ops_total", "counter", "Opcodes of clients that were ignored.",
			stats->unknown_ops},
		{"joins_total", "counter", "Voice joins, rejoins included.", core->joins},
		{"join_retries_total", "counter",
			"Joins that a node refused and that were tried again.", core->join_retries},
		{"joins_given_up_total", "counter",
			"Members taken out of voice because their node refused them again and "
			"again.",
			core->joins_given_up},
		{"joins_no_budget_total", "counter",
			"Members taken out of voice at once because no worker of their node had "
			"budget for them.",
			core->joins_no_budget},
		{"moves_total", "counter", "Moves between channels.", core->moves},
		{"leaves_total", "counter", "Voice leaves.", core->leaves},
		{"kicks_total", "counter", "Disconnects by moderators.", core->kicks},
		{"ack_timeouts_total", "counter", "Messages that a node did not acknowledge.",
			core->ack_timeouts},
		{"ack_errors_total", "counter", "Messages that a node refused.", core->ack_errors},
		{"assignments_total", "counter", "Guilds given to a node.", core->assignments},
		{"nodes_registered_total", "counter", "Registrations.", core->nodes_registered},
		{"nodes_refused_total", "counter", "Registrations refused.", core->nodes_refused},
		{"nodes_dead_total", "counter", "Nodes found dead.", core->nodes_dead},
		{"node_unknown_ops_total", "counter", "Operations of nodes that were ignored.",
			core->node_unknown_ops},
	};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		fprintf(out,
			"# HELP voicenode_gateway_%s %s\n# TYPE voicenode_gateway_%s %s\n"
			"voicenode_gateway_%s %" PRIu64 "\n",
			metrics[i].name, metrics[i].help, metrics[i].name, metrics[i].type,
			metrics[i].name, metrics[i].value);
}

static void metrics_answer(struct operator_api *api, struct http_exchange *exchange)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL) {
		rest_respond(api->rest, exchange, 503, json_object());
		return;
	}
	metrics_print(out, api->hub);
	fclose(out);
	api->rest->respond(exchange, 200, "text/plain; version=0.0.4", text, size);
	free(text);
}

void operator_handle(struct operator_api *api, struct http_exchange *exchange,
	const struct http_request *request)
{
	if (strcmp(request->method, "GET") != 0)
		rest_respond(api->rest, exchange, 405, json_object());
	else if (strcmp(request->path, "/status") == 0)
		rest_respond(api->rest, exchange, 200, status_object(api->hub));
	else if (strcmp(request->path, "/guilds") == 0)
		rest_respond(api->rest, exchange, 200, guilds_list(api->hub));
	else if (strcmp(request->path, "/metrics") == 0)
		metrics_answer(api, exchange);
	else
		rest_respond(api->rest, exchange, 404, json_object());
}
