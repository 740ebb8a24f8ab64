// SPDX-License-Identifier: BSD-3-Clause
//
// The replay ring against a plain list, its numbers, its bounds, and what a killed process leaves.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry/resume.h"

static struct resume_ring ring;

static uint32_t seed;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static uint16_t push(const char *text)
{
	uint16_t seq = resume_next_seq(&ring);

	resume_push(&ring, text, strlen(text));
	return seq;
}

static unsigned count_after(uint32_t seq_ack)
{
	struct resume_cursor cursor;
	char out[64];
	size_t size;
	unsigned count = 0;

	assert_int_equal(resume_begin(&ring, seq_ack, &cursor), 0);
	while (resume_next(&ring, &cursor, out, sizeof(out), &size))
		count++;
	return count;
}

static void numbers_begin_at_1_and_skip_0(void **state)
{
	(void)state;
	resume_init(&ring);
	for (unsigned expected = 1; expected <= 65535; expected++)
		assert_int_equal(push("x"), expected);
	assert_int_equal(push("x"), 1);
	assert_int_equal(push("x"), 2);
}

static void replay_goes_on_across_the_wrap(void **state)
{
	struct resume_cursor cursor;
	char out[8];
	size_t size;

	(void)state;
	resume_init(&ring);
	for (unsigned count = 0; count < 65533; count++)
		push("-");
	push("a"); // 65534
	push("b"); // 65535
	push("c"); // 1
	assert_int_equal(resume_begin(&ring, 65534, &cursor), 0);
	assert_true(resume_next(&ring, &cursor, out, sizeof(out), &size));
	assert_memory_equal(out, "b", 1);
	assert_true(resume_next(&ring, &cursor, out, sizeof(out), &size));
	assert_memory_equal(out, "c", 1);
	assert_false(resume_next(&ring, &cursor, out, sizeof(out), &size));
}

static void a_client_that_read_nothing_gets_all(void **state)
{
	(void)state;
	resume_init(&ring);
	assert_int_equal(count_after(RESUME_SEQ_NONE), 0);
	push("a");
	push("b");
	assert_int_equal(count_after(RESUME_SEQ_NONE), 2);
	assert_int_equal(count_after(0), 2); // JDA's way to say none
	assert_int_equal(count_after(1), 1);
	assert_int_equal(count_after(2), 0);
}

static void a_hole_is_refused(void **state)
{
	struct resume_cursor cursor;

	(void)state;
	resume_init(&ring);
	for (unsigned count = 0; count < RESUME_MESSAGES_MAX + 5; count++)
		push("m");
	assert_int_equal(resume_begin(&ring, 4, &cursor), -ENOENT);
	assert_int_equal(resume_begin(&ring, RESUME_SEQ_NONE, &cursor), -ENOENT);
	assert_int_equal(resume_begin(&ring, 9999, &cursor), -ENOENT); // never sent
	assert_int_equal(count_after(5), RESUME_MESSAGES_MAX);
	assert_int_equal(count_after(6), RESUME_MESSAGES_MAX - 1);
}

static void heartbeats_trim(void **state)
{
	struct resume_cursor cursor;

	(void)state;
	resume_init(&ring);
	for (unsigned count = 0; count < 10; count++)
		push("m");
	resume_ack(&ring, 4);
	assert_int_equal(count_after(4), 6);
	resume_ack(&ring, 2);     // older than what is left
	resume_ack(&ring, 60000); // never sent
	assert_int_equal(count_after(4), 6);
	assert_int_equal(resume_begin(&ring, 3, &cursor), -ENOENT);
	resume_ack(&ring, 10);
	assert_int_equal(count_after(10), 0);
	push("n");
	assert_int_equal(count_after(10), 1);
}

static void a_message_larger_than_the_ring_is_a_hole(void **state)
{
	static char large[RESUME_BYTES_SIZE + 1];
	struct resume_cursor cursor;

	(void)state;
	memset(large, 'L', sizeof(large) - 1);
	resume_init(&ring);
	push("a");
	push(large);
	assert_true(resume_is_sound(&ring));
	assert_int_equal(resume_begin(&ring, 1, &cursor), -ENOENT);
	assert_int_equal(count_after(2), 0);
	assert_int_equal(push("b"), 3);
	assert_int_equal(count_after(2), 1);
}

// Against a list of everything: what comes out is what went in, from the asked place, in order.
static void random_histories_replay_what_was_said(void **state)
{
	static char texts[65536][40];
	char out[64];
	size_t size;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		uint32_t last = 0;

		resume_init(&ring);
		for (unsigned step = 0; step < 3000; step++) {
			uint32_t choice = next_random() % 10;
			struct resume_cursor cursor;

			if (choice < 8) {
				last = resume_next_seq(&ring);
				memset(texts[last], 'a' + (char)(next_random() % 26), 39);
				snprintf(texts[last], 20, "%u", next_random());
				texts[last][strlen(texts[last])] = '.';
				texts[last][next_random() % 30 + 9] = '\0';
				push(texts[last]);
			} else if (choice == 8) {
				resume_ack(&ring, last - next_random() % 40);
			} else if (resume_begin(&ring, last - next_random() % 300, &cursor) == 0) {
				uint32_t seq = last - cursor.left + 1;

				for (; resume_next(&ring, &cursor, out, sizeof(out), &size);
					seq++) {
					assert_int_equal(size, strlen(texts[seq]));
					assert_memory_equal(out, texts[seq], size);
				}
				assert_int_equal(seq, last + 1);
			}
			assert_true(resume_is_sound(&ring));
		}
	}
}

// A push first gives up what must make room, then writes, then turns to what holds the new message.
// A process that was killed before the last turn leaves every message but the new one, whole.
static void killed_within_a_push_the_ring_holds_what_it_says(void **state)
{
	char text[200], out[200];
	struct resume_cursor cursor;
	size_t size;

	(void)state;
	resume_init(&ring);
	for (unsigned count = 1; count <= 700; count++) {
		uint16_t seq = resume_next_seq(&ring);
		struct resume_ring killed;

		snprintf(text, sizeof(text), "%0150u", seq); // ring is full of bytes after 105
		resume_push(&ring, text, 150);
		killed = ring;
		killed.current ^= 1;
		assert_true(resume_is_sound(&killed));
		assert_int_equal(resume_next_seq(&killed), seq);
		assert_int_equal(
			resume_begin(&killed, killed.state[killed.current].trimmed_seq, &cursor),
			0);
		seq = (uint16_t)(seq - cursor.left);
		for (; resume_next(&killed, &cursor, out, sizeof(out), &size); seq++) {
			snprintf(text, sizeof(text), "%0150u", seq);
			assert_int_equal(size, 150);
			assert_memory_equal(out, text, 150);
		}
		assert_int_equal(seq, resume_next_seq(&killed));
	}
}

static void nonsense_is_not_sound(void **state)
{
	(void)state;
	resume_init(&ring);
	push("abc");
	assert_true(resume_is_sound(&ring));
	ring.current = 2;
	assert_false(resume_is_sound(&ring));
	ring.current = 0;
	ring.state[0].head = RESUME_BYTES_SIZE;
	assert_false(resume_is_sound(&ring));
	resume_init(&ring);
	push("abc");
	ring.state[ring.current].count = 2;
	assert_false(resume_is_sound(&ring));
	ring.state[ring.current].count = 1;
	ring.state[ring.current].used++;
	assert_false(resume_is_sound(&ring));
	memset(&ring, 0, sizeof(ring));
	assert_false(resume_is_sound(&ring)); // number 0 is never next
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_begin_at_1_and_skip_0),
		cmocka_unit_test(replay_goes_on_across_the_wrap),
		cmocka_unit_test(a_client_that_read_nothing_gets_all),
		cmocka_unit_test(a_hole_is_refused),
		cmocka_unit_test(heartbeats_trim),
		cmocka_unit_test(a_message_larger_than_the_ring_is_a_hole),
		cmocka_unit_test(random_histories_replay_what_was_said),
		cmocka_unit_test(killed_within_a_push_the_ring_holds_what_it_says),
		cmocka_unit_test(nonsense_is_not_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
