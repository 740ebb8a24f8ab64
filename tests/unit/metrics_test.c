// SPDX-License-Identifier: BSD-3-Clause
//
// /metrics: every line is what the Prometheus text format allows, families are whole, and the
// numbers are those of the progress memfd.

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics/ledger.h"
#include "metrics/metrics.h"
#include "metrics/metrics_text.h"
#include "support/fake_node.h"

#define FAMILIES_MAX 200

static struct metrics_text page;

static int setup(void **state)
{
	(void)state;
	fake_node_create();
	metrics_text_init(&page);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	metrics_text_fini(&page);
	fake_node_destroy();
	return 0;
}

static void render(void)
{
	metrics_text_fini(&page);
	metrics_render(&fake_view, &page);
	assert_false(page.failed);
}

static void count(uint32_t worker, enum dp_counter counter, uint64_t value)
{
	dp_shm_worker(fake_shm, worker)->counters[counter] = value;
}

static void judge(uint32_t worker, enum dp_verdict verdict, uint64_t value)
{
	dp_shm_worker(fake_shm, worker)->verdicts[verdict] = value;
}

static bool has_line(const char *line)
{
	const char *at = page.data;
	size_t size = strlen(line);

	for (; at != NULL; at = strchr(at, '\n'), at = at == NULL ? NULL : at + 1)
		if (strncmp(at, line, size) == 0 && at[size] == '\n')
			return true;
	return false;
}

static bool is_name(const char *text, size_t size)
{
	if (size == 0 || isdigit((unsigned char)text[0]))
		return false;
	for (size_t index = 0; index < size; index++)
		if (!isalnum((unsigned char)text[index]) && text[index] != '_')
			return false;
	return true;
}

// Labels from '{' on; returns what follows '}', or NULL.
static const char *skip_labels(const char *at)
{
	do {
		const char *name = ++at;

		at = strchr(at, '=');
		if (at == NULL || !is_name(name, (size_t)(at - name)) || at[1] != '"')
			return NULL;
		for (at += 2; *at != '"'; at++) {
			if (*at == '\\' && strchr("\\\"n", at[1]) == NULL)
				return NULL;
			if (*at == '\\')
				at++;
			if (*at == '\0' || *at == '\n')
				return NULL;
		}
		at++;
	} while (*at == ',');
	return *at == '}' ? at + 1 : NULL;
}

struct family {
	char name[100], type[16];
	unsigned sample_count;
};

static bool belongs(const struct family *family, const char *name, size_t size)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
	size_t stem = strlen(family->name);

	if (size == stem && memcmp(name, family->name, stem) == 0)
		return strcmp(family->type, "histogram") != 0;
	if (strcmp(family->type, "histogram") != 0 || size < stem ||
		memcmp(name, family->name, stem) != 0)
		return false;
	for (unsigned index = 0; index < 3; index++)
		if (size == stem + strlen(suffixes[index]) &&
			memcmp(name + stem, suffixes[index], size - stem) == 0)
			return true;
	return false;
}

static void check_sample(char *line, struct family *family)
{
	const char *name_end = line + strcspn(line, "{ ");
	const char *value = name_end;
	char *number_end;

	if (!is_name(line, (size_t)(name_end - line)))
		fail_msg("name: %s", line);
	if (!belongs(family, line, (size_t)(name_end - line)))
		fail_msg("not of its family %s: %s", family->name, line);
	if (*name_end == '{') {
		value = skip_labels(name_end);
		if (value == NULL)
			fail_msg("labels: %s", line);
	}
	assert_int_equal(*value, ' ');
	(void)strtod(value + 1, &number_end);
	if (number_end == value + 1 || *number_end != '\0')
		fail_msg("value: %s", line);
	family->sample_count++;
}

static void begin_family(char *line, struct family *family)
{
	char name[100], type[16];

	assert_int_equal(sscanf(line, "# TYPE %99s %15s", name, type), 2);
	assert_string_equal(name, family->name); // HELP came before
	memcpy(family->type, type, sizeof(type));
	assert_memory_equal(name, "voicenode_", 10);
	if (strcmp(type, "counter") == 0) {
		if (strlen(name) < 6 || strcmp(name + strlen(name) - 6, "_total") != 0)
			fail_msg("counter without _total: %s", name);
	} else if (strstr(name, "_total") != NULL) {
		fail_msg("no counter, but _total: %s", name);
	}
}

// Every line of the page, and that no family comes twice.
static void check_page(void)
{
	static struct family families[FAMILIES_MAX];
	unsigned family_count = 0;
	char *save = NULL;

	memset(families, 0, sizeof(families));
	assert_int_equal(page.data[page.size - 1], '\n');
	for (char *line = strtok_r(page.data, "\n", &save); line != NULL;
		line = strtok_r(NULL, "\n", &save)) {
		struct family *family = &families[family_count];

		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_true(family_count + 1 < FAMILIES_MAX);
			family = &families[++family_count];
			assert_int_equal(sscanf(line, "# HELP %99s", family->name), 1);
			assert_true(strlen(line) > 8 + strlen(family->name));
			for (unsigned index = 1; index < family_count; index++)
				assert_string_not_equal(families[index].name, family->name);
		} else if (line[0] == '#') {
			begin_family(line, family);
		} else {
			check_sample(line, family);
		}
	}
	assert_true(family_count > 30);
}

static void every_line_is_of_the_format(void **state)
{
	(void)state;
	fake_member(1, 100, 1);
	count(0, DP_COUNTER_RECEIVED, UINT64_MAX);
	render();
	check_page();
}

static void counters_are_those_of_the_memfd(void **state)
{
	(void)state;
	count(1, DP_COUNTER_RECEIVED, 18446744073709551615ull);
	count(0, DP_COUNTER_BUSY_TSC, 2500000000ull);
	judge(0, DP_SRTP_AUTH, 17);
	judge(1, DP_FORWARDED, 5);
	fake_member(1, 100, 1);
	render();
	assert_true(
		has_line("voicenode_received_packets_total{worker=\"1\"} 18446744073709551615"));
	assert_true(has_line("voicenode_worker_busy_seconds_total{worker=\"0\"} 2.5"));
	assert_true(has_line("voicenode_drops_total{worker=\"0\",reason=\"srtp_auth\"} 17"));
	assert_true(has_line("voicenode_packets_total{worker=\"1\",verdict=\"forwarded\",class="
			     "\"forwarded\"} 5"));
	assert_true(has_line("voicenode_ws_refused_total{reason=\"too_many_wrong_tokens\"} 0"));
	assert_true(has_line("voicenode_guilds{worker=\"0\"} 1"));
	assert_true(has_line("voicenode_sessions{state=\"detached\",transport=\"udp\"} 1"));
	assert_true(has_line("voicenode_dataplane_restarts_total 2"));
	assert_true(has_line("voicenode_control_restarts_total 1"));
	assert_true(has_line("voicenode_gateway_connected{gateway=\"ws://gw:1/node\"} 0"));
	assert_null(strstr(page.data, "drops_total{worker=\"0\",reason=\"forwarded\""));
}

static void a_lost_interface_is_a_port_that_is_not_up(void **state)
{
	(void)state;
	render();
	assert_true(has_line("voicenode_port_up{port=\"0\",driver=\"net_af_packet\",name=\"\"} 1"));
	assert_true(has_line("voicenode_node_state{state=\"serving\"} 1"));
	fake_view.link = NODE_LINK_GONE;
	render();
	assert_true(has_line("voicenode_port_up{port=\"0\",driver=\"net_af_packet\",name=\"\"} 0"));
	assert_true(has_line("voicenode_node_state{state=\"serving\"} 0"));
	assert_true(has_line("voicenode_node_state{state=\"no_link\"} 1"));
	fake_view.link = NODE_LINK_UP;
}

static void hand_over_and_steering_are_shown(void **state)
{
	(void)state;
	snprintf(fake_device.steering, sizeof(fake_device.steering), "rss");
	fake_device.capacity_pps[1] = 14400000;
	registry_set_capacity(fake_registry, 1, 14400000);
	fake_member(1, 100, 1);
	fake_member(2, 100, 0);
	dp_shm_worker(fake_shm, 1)->rx_handoff_peak = 3000;
	dp_shm_worker(fake_shm, 0)->tx_handoff_peak = 17;
	count(1, DP_COUNTER_RX_CONGESTED, 5);
	render();
	assert_true(has_line("voicenode_worker_capacity_pps{worker=\"1\"} 14400000"));
	assert_true(has_line("voicenode_worker_budget_pps{worker=\"1\"} 12600000"));
	assert_true(has_line("voicenode_worker_used_pps{worker=\"0\"} 100"));
	assert_true(has_line("voicenode_worker_used_pps{worker=\"1\"} 0"));
	assert_true(has_line("voicenode_port_steering{port=\"0\",steering=\"rss\"} 1"));
	assert_true(has_line("voicenode_handoff_peak_packets{worker=\"1\",ring=\"rx\"} 3000"));
	assert_true(has_line("voicenode_handoff_peak_packets{worker=\"0\",ring=\"tx\"} 17"));
	assert_true(has_line("voicenode_handoff_ring_packets 4095"));
	assert_true(has_line("voicenode_rx_handoff_congested_turns_total{worker=\"1\"} 5"));
}

static void values_of_labels_are_escaped(void **state)
{
	(void)state;
	render();
	assert_non_null(strstr(page.data, "node=\"node\\\"1\\\\\""));
}

static void latency_is_cumulative(void **state)
{
	(void)state;
	dp_shm_worker(fake_shm, 0)->latency[0] = 3;
	dp_shm_worker(fake_shm, 0)->latency[4] = 4;
	dp_shm_worker(fake_shm, 0)->latency[DP_LATENCY_BUCKETS - 1] = 1;
	render();
	assert_true(
		has_line("voicenode_forward_latency_seconds_bucket{worker=\"0\",le=\"1e-06\"} 3"));
	assert_true(
		has_line("voicenode_forward_latency_seconds_bucket{worker=\"0\",le=\"8e-06\"} 3"));
	assert_true(has_line(
		"voicenode_forward_latency_seconds_bucket{worker=\"0\",le=\"1.6e-05\"} 7"));
	assert_true(
		has_line("voicenode_forward_latency_seconds_bucket{worker=\"0\",le=\"+Inf\"} 8"));
	assert_true(has_line("voicenode_forward_latency_seconds_count{worker=\"0\"} 8"));
}

static void the_ledger_balances_or_says_so(void **state)
{
	struct ledger ledger;

	(void)state;
	count(0, DP_COUNTER_RECEIVED, 10);
	count(0, DP_COUNTER_JOBS, 10);
	count(0, DP_COUNTER_ORIGINATED, 1);
	count(0, DP_COUNTER_SENT, 8);
	count(1, DP_COUNTER_HANDED_IN, 2);
	count(0, DP_COUNTER_CROSSED_OUT, 1);
	count(1, DP_COUNTER_CROSSED_IN, 1);
	judge(0, DP_FORWARDED, 5);
	judge(0, DP_HANDED_OUT, 2);
	judge(0, DP_DISCOVERY, 1);
	judge(0, DP_MUTED, 2);
	judge(0, DP_TX_FULL, 2);
	judge(1, DP_RTCP, 2);
	judge(1, DP_NO_RECEIVER, 1);
	ledger_read(&fake_progress, &ledger);
	assert_true(ledger.is_balanced);
	assert_int_equal(ledger.received, 10);
	assert_int_equal(ledger.by_class[DP_CLASS_DROPPED], 2);
	assert_int_equal(ledger.by_class[DP_CLASS_CONSUMED], 2);
	judge(0, DP_MUTED, 3); // one packet too many
	judge(1, DP_RTCP, 1);  // and one too few elsewhere: no set-off between workers
	ledger_read(&fake_progress, &ledger);
	assert_false(ledger.is_balanced);
	judge(0, DP_MUTED, 2);
	judge(1, DP_RTCP, 2);
	judge(0, DP_TX_FULL, 1);
	ledger_read(&fake_progress, &ledger);
	assert_false(ledger.is_balanced);
}

static void a_worker_that_stands_still_does_not_turn(void **state)
{
	uint64_t now_ms = 5000;

	(void)state;
	progress_sample(&fake_progress, now_ms);
	assert_false(progress_all_turn(&fake_progress, now_ms)); // never seen moving
	dp_shm_worker(fake_shm, 0)->heartbeat = 1;
	dp_shm_worker(fake_shm, 1)->heartbeat = 1;
	progress_sample(&fake_progress, now_ms);
	assert_true(progress_all_turn(&fake_progress, now_ms));
	dp_shm_worker(fake_shm, 0)->heartbeat = 2;
	progress_sample(&fake_progress, now_ms + 999);
	assert_true(progress_all_turn(&fake_progress, now_ms + 999));
	progress_sample(&fake_progress, now_ms + 1000);
	assert_false(progress_all_turn(&fake_progress, now_ms + 1000));
	assert_true(progress_turns(&fake_progress, 0, now_ms + 1000));
	assert_false(progress_turns(&fake_progress, 1, now_ms + 1000));
}

static void nonces_count_down_for_their_own_key(void **state)
{
	struct dp_session_shm *slot = dp_shm_sessions(fake_shm, 1) + 3;

	(void)state;
	*slot = (struct dp_session_shm){.generation = 4, .key_id = 2, .nonce_floor = 1000};
	assert_int_equal(progress_nonces_left(&fake_progress, 1, 3, 4, 2), DP_NONCES_MAX - 1000);
	assert_int_equal(progress_nonces_left(&fake_progress, 1, 3, 4, 3), DP_NONCES_MAX);
	assert_int_equal(progress_nonces_left(&fake_progress, 1, 3, 5, 2), DP_NONCES_MAX);
	assert_int_equal(progress_nonces_left(&fake_progress, 1, 99, 4, 2), DP_NONCES_MAX);
	slot->nonce_floor = UINT32_MAX;
	assert_int_equal(progress_nonces_left(&fake_progress, 1, 3, 4, 2), 0);
}

static void a_memfd_that_lies_is_not_read(void **state)
{
	struct progress other;

	(void)state;
	progress_init(&other, fake_progress_fd);
	assert_int_equal(progress_map(&other), 0);
	fake_shm->session_count = DP_SESSIONS_MAX; // larger than the file
	assert_int_equal(progress_map(&other), -EPROTO);
	assert_int_equal(progress_worker_count(&other), 0);
	fake_shm->session_count = 8;
	fake_shm->worker_count = DP_WORKERS_MAX + 1;
	assert_int_equal(progress_map(&other), -EPROTO);
	fake_shm->worker_count = 2;
	fake_shm->magic = 0;
	assert_int_equal(progress_map(&other), -EPROTO);
	fake_shm->magic = DP_SHM_MAGIC;
	assert_int_equal(progress_map(&other), 0);
	progress_fini(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_line_is_of_the_format),
		TEST(counters_are_those_of_the_memfd),
		TEST(a_lost_interface_is_a_port_that_is_not_up),
		TEST(hand_over_and_steering_are_shown),
		TEST(values_of_labels_are_escaped),
		TEST(latency_is_cumulative),
		TEST(the_ledger_balances_or_says_so),
		TEST(a_worker_that_stands_still_does_not_turn),
		TEST(nonces_count_down_for_their_own_key),
		TEST(a_memfd_that_lies_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
