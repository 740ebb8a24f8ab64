// SPDX-License-Identifier: BSD-3-Clause
//
// See demo_view.h.
#include "supervisor/demo_view.h"

#include <inttypes.h>
#include <string.h>

#include "json/json.h"

static uint64_t number_of(const json_t *object, const char *name)
{
	uint64_t value = 0;

	return json_get_uint(object, name, INT64_MAX, &value) ? value : 0;
}

static double real_of(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static const json_t *find_guild(const json_t *list, uint64_t guild_id)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *guild = json_array_get(list, i);
		uint64_t id = 0;
		if (json_get_id(guild, "guild", &id) && id == guild_id)
			return guild;
	}
	return NULL;
}

static void write_guild(FILE *out, const json_t *heard, const json_t *node)
{
	const json_t *latency = json_object_get(heard, "latency_us");
	uint64_t id = 0;

	(void)json_get_id(heard, "guild", &id);
	fprintf(out,
		"  %-20" PRIu64 " %7" PRIu64 " %9" PRIu64 " %11" PRIu64 " %12" PRIu64
		" %8.2f %%   %5.0f / %.0f us\n",
		id, number_of(heard, "members"), number_of(heard, "speakers"),
		number_of(node, "packets_in"), number_of(node, "packets_out"),
		real_of(heard, "loss_ratio") * 100, real_of(latency, "p50"),
		real_of(latency, "p99"));
}

static void write_drops(FILE *out, const json_t *drops)
{
	const char *name = NULL;
	json_t *value = NULL;
	bool any = false;

	fputs("  drops:", out);
	json_object_foreach((json_t *)(uintptr_t)drops, name, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		fprintf(out, " %s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
		any = true;
	}
	fputs(any ? "\n" : " none\n", out);
}

unsigned demo_view_table(FILE *out, const struct demo_sample *sample)
{
	const json_t *heard = json_object_get(sample->progress, "guilds");
	const json_t *node = json_object_get(sample->guilds, "guilds");
	unsigned lines = 2;

	fputs("  guild                members  speakers  packets in  packets out       loss"
	      "   latency p50 / p99\n",
		out);
	for (size_t i = 0; i < json_array_size(heard); i++) {
		const json_t *guild = json_array_get(heard, i);
		uint64_t id = 0;
		(void)json_get_id(guild, "guild", &id);
		write_guild(out, guild, find_guild(node, id));
		lines++;
	}
	write_drops(out, json_object_get(sample->status, "drops"));
	return lines;
}

// The workers' ledgers together; -1: none.
static json_int_t sum_of(const json_t *workers, const char *name)
{
	json_int_t sum = json_array_size(workers) == 0 ? -1 : 0;

	for (size_t i = 0; i < json_array_size(workers); i++)
		sum += json_integer_value(json_object_get(json_array_get(workers, i), name));
	return sum;
}

json_t *demo_view_result(
	unsigned guilds, unsigned members, const json_t *status, const json_t *load)
{
	json_int_t in = sum_of(json_object_get(status, "workers"), "received");
	json_int_t out = sum_of(json_object_get(status, "workers"), "sent");
	const json_t *drops = json_object_get(status, "drops");
	const json_t *loss = json_object_get(load, "loss_ratio");
	const json_t *latency = json_object_get(load, "latency_us");

	if (in < 0 || out < 0 || !json_is_object(drops) || !json_is_number(loss) ||
		!json_is_number(json_object_get(latency, "p50")) ||
		!json_is_number(json_object_get(latency, "p99")))
		return NULL;
	return json_pack("{s:i, s:i, s:I, s:I, s:O, s:O, s:{s:O, s:O}}", "guilds", (int)guilds,
		"members", (int)members, "packets_in", in, "packets_out", out, "drops", drops,
		"loss_ratio", loss, "latency_us", "p50", json_object_get(latency, "p50"), "p99",
		json_object_get(latency, "p99"));
}

unsigned demo_view_joined(const json_t *line)
{
	return (unsigned)number_of(line, "joined");
}

unsigned demo_view_speakers(const json_t *progress)
{
	const json_t *guilds = json_object_get(progress, "guilds");
	unsigned speakers = 0;

	for (size_t i = 0; i < json_array_size(guilds); i++)
		speakers += (unsigned)number_of(json_array_get(guilds, i), "speakers");
	return speakers;
}

void demo_view_interrupted(
	enum demo_stage stage, unsigned joined, unsigned bots, char *text, size_t text_size)
{
	static const char *const stood[] = {
		[DEMO_STAGE_NETWORK] = "while the gateway started: only the network stood",
		[DEMO_STAGE_GATEWAY] = "while the node started: network and gateway stood",
		[DEMO_STAGE_NODE] = "while the bots joined: network, gateway and node stood",
	};
	char in[64] = "";

	if (stage == DEMO_STAGE_NODE)
		snprintf(in, sizeof(in), ", %u of %u bots were in", joined, bots);
	snprintf(text, text_size, "interrupted %s%s; everything the demo made was removed",
		stood[stage], in);
}
