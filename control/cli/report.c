// SPDX-License-Identifier: BSD-3-Clause
//
// `status` and `guilds` as text.

#include "cli/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "json/json.h"

#define TEXT_SIZE 160u

static const char *text_of(const json_t *object, const char *name, char *out)
{
	const char *text = json_get_string(object, name);

	return table_clean(text == NULL || text[0] == '\0' ? "-" : text, out, TEXT_SIZE);
}

// Exact where it is an integer: packet counters exceed what a double holds.
static int64_t integer_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? (int64_t)json_integer_value(value)
				      : (int64_t)json_number_value(value);
}

// A string or a number, as it stands.
static const char *id_of(const json_t *object, const char *name, char *out)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_integer(value))
		snprintf(out, TEXT_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		text_of(object, name, out);
	return out;
}

// "3 d 4 h", "4 h 12 min", "5 min 2 s", "9 s".
static const char *duration(int64_t seconds, char *out, size_t out_size)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	unsigned i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	if (i == 3)
		snprintf(out, out_size, "%" PRId64 " s", seconds);
	else
		snprintf(out, out_size, "%" PRId64 " %s %" PRId64 " %s", seconds / units[i].seconds,
			units[i].unit, seconds % units[i].seconds / units[i + 1].seconds,
			units[i + 1].unit);
	return out;
}

static void report_head(const json_t *reply, FILE *out)
{
	char a[TEXT_SIZE], b[TEXT_SIZE], c[TEXT_SIZE], d[TEXT_SIZE], e[TEXT_SIZE];

	fprintf(out, "%s  %s  up %s  region %s  voicenode %s\n", text_of(reply, "node", a),
		text_of(reply, "state", b), duration(integer_of(reply, "uptime_s"), c, sizeof(c)),
		text_of(reply, "region", d), text_of(reply, "version", e));
}

// Nothing while all is well.
static const char *link_trouble(const json_t *device)
{
	static const struct {
		const char *link, *text;
	} troubles[] = {
		{"down", " is DOWN: ip link set IFACE up"},
		{"no_carrier", " has NO CARRIER: its cable, or the peer that is down"},
		{"gone", " is GONE: make it again under its name"},
	};
	const char *link = json_get_string(device, "link");

	for (unsigned i = 0; link != NULL && i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if (strcmp(link, troubles[i].link) == 0)
			return troubles[i].text;
	return "";
}

static void report_links(const json_t *reply, FILE *out)
{
	const json_t *device = json_object_get(reply, "device");
	const json_t *gateway = json_object_get(reply, "gateway");
	const json_t *dataplane = json_object_get(reply, "dataplane");
	const json_t *control = json_object_get(reply, "control");
	char a[TEXT_SIZE], b[TEXT_SIZE], c[TEXT_SIZE], d[TEXT_SIZE], e[TEXT_SIZE];

	fprintf(out, "device   %s %s%s, way %s, steering %s, crypto %s%s\n",
		text_of(device, "driver", a), text_of(device, "name", b), link_trouble(device),
		text_of(device, "rung", c), text_of(device, "steering", d),
		text_of(device, "crypto", e),
		json_get_bool(device, "drops_countable", true)
			? ""
			: "; it cannot count what it drops itself");
	if (json_get_bool(gateway, "connected", false))
		fprintf(out, "gateway  connected to %s, pinged every %" PRId64 " ms\n",
			text_of(gateway, "url", a), integer_of(gateway, "ping_ms"));
	else
		fprintf(out, "gateway  NOT connected to %s\n", text_of(gateway, "url", a));
	fprintf(out,
		"engine   %s, epoch %" PRId64 ", restarts %" PRId64 "; of control %" PRId64 "\n",
		json_get_bool(dataplane, "up", false) ? "up" : "DOWN",
		integer_of(dataplane, "epoch"), integer_of(dataplane, "restarts"),
		integer_of(control, "restarts"));
}

static void report_workers(const json_t *workers, FILE *out)
{
	static const char *const heads[] = {"worker", "core", "port", "turning", "guilds",
		"sessions", "received", "sent", "dropped", "busy", "used/s", "budget/s", NULL};
	struct table table;
	const json_t *worker;
	size_t i;

	table_init(&table, heads);
	json_array_foreach(workers, i, worker)
	{
		char text[TEXT_SIZE];

		// Names, not quantities: without gaps in their digits.
		table_text(&table, id_of(worker, "worker", text));
		table_text(&table, id_of(worker, "core", text));
		table_text(&table, id_of(worker, "port", text));
		table_text(&table, json_get_bool(worker, "turning", false) ? "yes" : "NO");
		table_number(&table, integer_of(worker, "guilds"));
		table_number(&table, integer_of(worker, "sessions"));
		table_number(&table, integer_of(worker, "received"));
		table_number(&table, integer_of(worker, "sent"));
		table_number(&table, integer_of(worker, "dropped"));
		snprintf(text, sizeof(text), "%.0f %%",
			100 * json_number_value(json_object_get(worker, "busy_ratio")));
		table_text(&table, text);
		table_number(&table, integer_of(worker, "used_pps"));
		table_number(&table, integer_of(worker, "budget_pps"));
	}
	table_print(&table, out);
}

struct drop {
	const char *reason;
	int64_t count;
};

static int most_first(const void *a, const void *b)
{
	const struct drop *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->reason, y->reason);
}

static void report_drops(const json_t *reply, FILE *out)
{
	// The iterator wants an object that it may change, and does not change it.
	json_t *drops = json_object_get(reply, "drops");
	size_t room = json_object_size(drops), count = 0;
	struct drop *list = calloc(room + 1, sizeof(*list));
	const char *reason;
	json_t *value;

	if (list == NULL)
		return;
	json_object_foreach(drops, reason, value)
	{
		int64_t number = (int64_t)json_integer_value(value);

		if (number != 0)
			list[count++] = (struct drop){.reason = reason, .count = number};
	}
	qsort(list, count, sizeof(*list), most_first);
	fputs("drops  ", out);
	for (size_t i = 0; i < count; i++) {
		char text[TEXT_SIZE];

		fprintf(out, "  %s %" PRId64, table_clean(list[i].reason, text, sizeof(text)),
			list[i].count);
	}
	fputs(count == 0 ? "  none\n" : "\n", out);
	free(list);
}

void report_status(const json_t *reply, FILE *out)
{
	report_head(reply, out);
	report_links(reply, out);
	fputc('\n', out);
	report_workers(json_object_get(reply, "workers"), out);
	fputc('\n', out);
	report_drops(reply, out);
}

// "0", or "0,3" of a guild that is on several: home first.
static const char *workers_of(const json_t *guild, char *out)
{
	const json_t *workers = json_object_get(guild, "workers"), *worker;
	size_t i, size = 0;

	if (json_array_size(workers) == 0)
		return id_of(guild, "worker", out);
	json_array_foreach(workers, i, worker)
	{
		if (size < TEXT_SIZE)
			size += (size_t)snprintf(out + size, TEXT_SIZE - size,
				"%s%" JSON_INTEGER_FORMAT, i == 0 ? "" : ",",
				json_integer_value(worker));
	}
	return out;
}

void report_guilds(const json_t *reply, FILE *out)
{
	static const char *const heads[] = {"<guild", "epoch", "worker", "channels", "members",
		"speakers", "packets in", "packets out", NULL};
	const json_t *guilds = json_object_get(reply, "guilds"), *guild;
	struct table table;
	size_t i;

	if (json_array_size(guilds) == 0) {
		fputs("no guild has somebody in a voice channel of this node\n", out);
		return;
	}
	table_init(&table, heads);
	json_array_foreach(guilds, i, guild)
	{
		char text[TEXT_SIZE];

		table_text(&table, id_of(guild, "guild", text));
		table_text(&table, id_of(guild, "epoch", text));
		table_text(&table, workers_of(guild, text));
		table_number(&table, integer_of(guild, "channels"));
		table_number(&table, integer_of(guild, "members"));
		table_number(&table, integer_of(guild, "speakers"));
		table_number(&table, integer_of(guild, "packets_in"));
		table_number(&table, integer_of(guild, "packets_out"));
	}
	table_print(&table, out);
}
