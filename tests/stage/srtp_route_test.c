// SPDX-License-Identifier: BSD-3-Clause
//
// The route with members whose media is SRTP, and native ones among them. The SRTP members' side is
// libsrtp2: what it seals is understood, what it is sent it opens.

#include "stage/peers_fixture.h"

static const enum dp_suite all_suites[] = {DP_SUITE_AES256_GCM_RTPSIZE, DP_SUITE_XCHACHA20_RTPSIZE,
	DP_SUITE_AES128_GCM, DP_SUITE_AES256_GCM, DP_SUITE_AES_CM_128_HMAC_SHA1_80};
#define SUITES (sizeof(all_suites) / sizeof(all_suites[0]))

static struct peers f;

// Words of extension bodies, up to more than the sealer's AAD takes.
static const int extensions[] = {PEER_NO_EXT, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 50};
#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

static void every_suite_hears_every_suite(void **state)
{
	(void)state;
	peers_init(&f, 4 * SUITES, all_suites, SUITES);
	for (unsigned speaker = 0; speaker < f.count; speaker++) {
		for (unsigned i = 0; i < EXTENSIONS; i++) {
			peers_say(&f, speaker, extensions[i],
				1 + packet_random_below(&f.random, 300));
			peers_hear(&f);
		}
		for (unsigned i = 0; i < 13; i++) // in one burst
			peers_say(&f, speaker, extensions[(i + speaker) % EXTENSIONS],
				1 + packet_random_below(&f.random, 1000));
		peers_hear(&f);
	}
	assert_int_equal(node_verdict(&f.node, DP_SRTP_AUTH), 0);
	peers_fini(&f);
}

static void the_shortest_frames_go_through(void **state)
{
	(void)state;
	peers_init(&f, 2 * SUITES, all_suites, SUITES);
	for (unsigned speaker = 0; speaker < f.count; speaker++) {
		for (unsigned size = 0; size <= 3; size++) { // 1 to 3: silence, comfort noise
			peers_say(&f, speaker, PEER_NO_EXT, size);
			peers_hear(&f);
			peers_say(&f, speaker, 1, size);
			peers_hear(&f);
		}
	}
	peers_fini(&f);
}

// Whatever the sender's number is, a listener that comes knows roll-over counter 0 only.
static void a_leg_is_born_below_the_middle_of_its_first_roll_over(void **state)
{
	static const uint16_t firsts[] = {0, 1, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
	(void)state;

	for (unsigned i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		peers_init(&f, SUITES, all_suites, SUITES);
		for (unsigned speaker = 0; speaker < f.count; speaker++) {
			f.member[speaker].client.seq = firsts[i];
			for (unsigned k = 0; k < 5; k++) {
				peers_say(&f, speaker, PEER_NO_EXT, 20);
				peers_hear(&f);
			}
		}
		peers_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_hears_every_suite),
		cmocka_unit_test(the_shortest_frames_go_through),
		cmocka_unit_test(a_leg_is_born_below_the_middle_of_its_first_roll_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
