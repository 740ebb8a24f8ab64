// SPDX-License-Identifier: BSD-3-Clause
//
// JSON lines, the final JSON object, and the table for people.
#include "load/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "load/swarm.h"
#include "load/tally.h"

struct report {
	int fd;     // --progress-fd; -1: none
	char *rest; // of a line that a slow reader did not take whole; malloc
	size_t rest_offset, rest_size;
	bool passed;
};

static const char *const bad_names[SWARM_BAD_COUNT] = {
#define SWARM_BAD_NAME(name, text, help) [SWARM_BAD_##name] = text,
	SWARM_BAD(SWARM_BAD_NAME) //
};

int report_create(struct swarm *swarm, struct report **out)
{
	struct report *report = calloc(1, sizeof(*report));
	int fd = swarm->options->progress_fd;
	struct stat status;

	if (report == NULL)
		return -ENOMEM;
	report->fd = fd;
	if (fd >= 0 && fstat(fd, &status) != 0) {
		free(report);
		return -EBADF;
	}
	// A reader that does not read must not stop the generator. Files and terminals do not block
	// for long, and their flags may be shared with others.
	if (fd >= 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*out = report;
	return 0;
}

void report_destroy(struct report *report)
{
	if (report == NULL)
		return;
	free(report->rest);
	free(report);
}

bool report_passed(const struct report *report)
{
	return report->passed;
}

// Writes what it can of 'rest'. True: nothing is left.
static bool rest_flush(struct report *report)
{
	while (report->rest != NULL && report->rest_offset < report->rest_size) {
		ssize_t size = write(report->fd, report->rest + report->rest_offset,
			report->rest_size - report->rest_offset);

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (size < 0) {
			report->fd = -1; // the reader is gone, the run goes on
			break;
		}
		report->rest_offset += (size_t)size;
	}
	free(report->rest);
	report->rest = NULL;
	return true;
}

// A whole line, or, while an earlier one still waits, nothing.
static void line_write(struct report *report, const json_t *line)
{
	if (report->fd < 0 || !rest_flush(report) || report->fd < 0)
		return;

	char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));

	if (text == NULL)
		return;

	size_t size = strlen(text);

	text[size] = '\n'; // in place of the NUL: from here on it has a size
	report->rest = text;
	report->rest_offset = 0;
	report->rest_size = size + 1;
	rest_flush(report);
}

static json_t *latency_json(const struct histogram *us, bool whole)
{
	json_t *latency = json_object();

	json_object_set_new(latency, "p50", json_integer((json_int_t)histogram_quantile(us, 500)));
	if (whole)
		json_object_set_new(
			latency, "p90", json_integer((json_int_t)histogram_quantile(us, 900)));
	json_object_set_new(latency, "p99", json_integer((json_int_t)histogram_quantile(us, 990)));
	if (whole)
		json_object_set_new(latency, "max", json_integer((json_int_t)us->max));
	return latency;
}

static void count_set(json_t *object, const char *name, uint64_t count)
{
	json_object_set_new(object, name, json_integer((json_int_t)count));
}

// 'guild_id' 0: of all guilds.
static json_t *second_json(uint64_t guild_id, const struct tally *tally, const struct histogram *us)
{
	json_t *line = json_object();
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, guild_id);
	if (guild_id != 0)
		json_object_set_new(line, "guild", json_string(id));
	count_set(line, "members", tally->joined_count);
	count_set(line, "speakers", tally->speaker_count);
	count_set(line, "sent", tally->sent_count);
	count_set(line, "expected", tally->expected_count);
	count_set(line, "received", tally->received_count);
	json_object_set_new(line, "loss_ratio", json_real(tally_loss_ratio(tally)));
	json_object_set_new(line, "latency_us", latency_json(us, false));
	return line;
}

static void seconds_merge(struct swarm *swarm)
{
	for (uint32_t i = 0; i < swarm->guild_count; i++) {
		histogram_merge(&swarm->guilds[i].run_us, &swarm->guilds[i].second_us);
		histogram_clear(&swarm->guilds[i].second_us);
	}
}

void report_progress(struct swarm *swarm)
{
	uint64_t settled_before_ns =
		swarm_clock_ns(CLOCK_REALTIME) - SWARM_SETTLE_MS * UINT64_C(1000000);
	struct histogram *all_us = calloc(1, sizeof(*all_us));
	struct tally all = {0};
	json_t *line = json_object(), *guilds = json_array();

	for (uint32_t i = 0; i < swarm->guild_count && all_us != NULL; i++) {
		const struct swarm_guild *guild = &swarm->guilds[i];
		struct tally tally;

		tally_guild(guild, settled_before_ns, &tally);
		tally_add(&all, &tally);
		histogram_merge(all_us, &guild->second_us);
		json_array_append_new(
			guilds, second_json(guild->guild_id, &tally, &guild->second_us));
	}
	if (all_us != NULL) {
		json_t *total = second_json(0, &all, all_us);

		count_set(
			line, "t_ms", swarm_clock_ns(CLOCK_MONOTONIC) / 1000000 - swarm->start_ms);
		count_set(line, "joined", all.joined_count);
		json_object_set(line, "guilds", guilds);
		count_set(total, "leaks", swarm->leak_count);
		json_object_set_new(line, "total", total);
		line_write(swarm->report, line);
	}
	json_decref(guilds);
	json_decref(line);
	free(all_us);
	seconds_merge(swarm);
}

static uint64_t bad_total(const struct swarm *swarm)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < SWARM_BAD_COUNT; i++)
		count += swarm->bad[i];
	return count;
}

static json_t *bad_json(const struct swarm *swarm)
{
	json_t *bad = json_object();

	for (unsigned i = 0; i < SWARM_BAD_COUNT; i++) {
		if (swarm->bad[i] != 0)
			count_set(bad, bad_names[i], swarm->bad[i]);
	}
	return bad;
}

static void final_json_print(
	const struct swarm *swarm, const struct tally *all, const struct histogram *us)
{
	json_t *root = json_object();
	json_t *join = latency_json(&swarm->join_ms, true), *late = json_object();

	json_object_del(join, "p90");
	count_set(late, "p99", histogram_quantile(&swarm->late_us, 990));
	count_set(root, "guilds", swarm->guild_count);
	count_set(root, "members", all->member_count);
	count_set(root, "joined", all->joined_count);
	count_set(root, "sent", all->sent_count);
	count_set(root, "expected", all->expected_count);
	count_set(root, "received", all->received_count);
	count_set(root, "lost", tally_lost(all));
	count_set(root, "duplicates", all->duplicate_count);
	count_set(root, "reordered", all->reordered_count);
	count_set(root, "renumbered", all->renumbered_count);
	count_set(root, "leaks", swarm->leak_count);
	count_set(root, "bad", bad_total(swarm));
	json_object_set_new(root, "bad_by", bad_json(swarm));
	json_object_set_new(root, "loss_ratio", json_real(tally_loss_ratio(all)));
	json_object_set_new(root, "latency_us", latency_json(us, true));
	json_object_set_new(root, "latency_clock", json_string("kernel receive time, realtime"));
	json_object_set_new(root, "join_ms", join);
	json_object_set_new(root, "generator_late_us", late);
	count_set(root, "send_errors", swarm->send_error_count);
	count_set(root, "socket_overflows", swarm->overflow_count);
	count_set(root, "discovery_retries", swarm->discovery_retry_count);
	count_set(root, "resumes", swarm->resume_count);
	count_set(root, "rejoins", swarm->rejoin_count);
	count_set(root, "after_close", swarm->after_close_count);
	count_set(root, "early", swarm->early_count);
	count_set(root, "foreign", swarm->foreign_count);
	count_set(root, "rtcp", swarm->rtcp_count);
	count_set(root, "seed", swarm->options->seed);

	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));

	if (text != NULL)
		puts(text);
	free(text);
	json_decref(root);
}

static void row_print(const char *name, const struct tally *tally, const struct histogram *us)
{
	printf("%-20s %4u/%-4u %9" PRIu64 " %10" PRIu64 " %10" PRIu64 " %9.4f%% %7" PRIu64
	       " %7" PRIu64 " %7" PRIu64 "\n",
		name, tally->joined_count, tally->member_count, tally->sent_count,
		tally->expected_count, tally->received_count, 100 * tally_loss_ratio(tally),
		histogram_quantile(us, 500), histogram_quantile(us, 990), us->max);
}

static void table_head_print(void)
{
	printf("%-20s %9s %9s %10s %10s %10s %7s %7s %7s\n", "guild", "joined", "sent", "expected",
		"received", "loss", "p50 us", "p99 us", "max us");
}

static void table_foot_print(const struct swarm *swarm, const struct tally *all)
{
	printf("duplicates %" PRIu64 ", reordered %" PRIu64 ", leaks %" PRIu64 ", bad %" PRIu64,
		all->duplicate_count, all->reordered_count, swarm->leak_count, bad_total(swarm));
	for (unsigned i = 0; i < SWARM_BAD_COUNT; i++) {
		if (swarm->bad[i] != 0)
			printf(" (%s %" PRIu64 ")", bad_names[i], swarm->bad[i]);
	}
	printf("\njoin ms p50 %" PRIu64 ", p99 %" PRIu64 "; resumes %" PRIu64 ", rejoins %" PRIu64
	       "; sent late us p99 %" PRIu64 "; lost in our own sockets %" PRIu64 "; seed %" PRIu64
	       "\n",
		histogram_quantile(&swarm->join_ms, 500), histogram_quantile(&swarm->join_ms, 990),
		swarm->resume_count, swarm->rejoin_count, histogram_quantile(&swarm->late_us, 990),
		swarm->overflow_count, swarm->options->seed);
}

void report_final(struct swarm *swarm)
{
	struct histogram *all_us = calloc(1, sizeof(*all_us));
	struct tally all = {0};
	bool table = !swarm->options->json;
	double loss_max = swarm->options->loss_max;

	if (all_us == NULL)
		return;
	seconds_merge(swarm);
	if (table)
		table_head_print();
	for (uint32_t i = 0; i < swarm->guild_count; i++) {
		const struct swarm_guild *guild = &swarm->guilds[i];
		struct tally tally;
		char id[24];

		// Everything has had its time to arrive.
		tally_guild(guild, UINT64_MAX, &tally);
		tally_add(&all, &tally);
		histogram_merge(all_us, &guild->run_us);
		snprintf(id, sizeof(id), "%" PRIu64, guild->guild_id);
		if (table)
			row_print(id, &tally, &guild->run_us);
	}
	if (table) {
		row_print("all", &all, all_us);
		table_foot_print(swarm, &all);
	} else {
		final_json_print(swarm, &all, all_us);
	}
	fflush(stdout);
	free(all_us);
	swarm->report->passed = all.joined_count == all.member_count && swarm->leak_count == 0 &&
				bad_total(swarm) == 0 &&
				(loss_max < 0 || tally_loss_ratio(&all) <= loss_max);
}
