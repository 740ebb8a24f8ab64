// SPDX-License-Identifier: BSD-3-Clause
//
// SIGKILL at a random moment of a turn, again and again. Each life is a process of its own: two
// workers on the progress memfd, fed and drained by a device that is this test's. The parent kills
// it, reads every frame that it gave to the device, and starts the next on what the memfd holds.
//
// Over all lives: a receiver's nonces rise, so none comes twice; so do the sequence numbers of each
// stream at each receiver, and nothing is heard twice; who is muted is not heard; silent listeners
// are sent to without having said where they are again; and every ledger balances.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

#include "api/dp_assert.h"
#include "host/shm.h"
#include "support/node.h"

#define LIVES 150u
#define MEMBERS 7u
#define LOG_FRAMES 32768u
#define LOG_FRAME_SIZE 192u
#define TURNS_OF_THE_LAST 300u
#define KILL_US_MAX 6000u
#define GAP_MAX \
	1024 // packets that a kill may cost a stream: more than two bursts and a ring of 512

// Members 0 to 3 are at home on worker 0, which has the device's only queue; 4 and 5 on worker 1.
// 6 lives there, too, but its room is that of 0 to 3, which has parts on both.
// 3, 5 and 6 never say a word; 0 and 2 are muted and unmuted; 1 and 4 are heard in every life.
static const unsigned worker_of[MEMBERS] = {0, 0, 0, 0, 1, 1, 1};
static const bool is_silent[MEMBERS] = {[3] = true, [5] = true, [6] = true};
static const bool is_moderated[MEMBERS] = {[0] = true, [2] = true};
#define LISTENERS 3
static const unsigned listener[LISTENERS] = {3, 5, 6}, speaker_of[LISTENERS] = {1, 4, 1};

struct sent {
	uint32_t size;
	uint8_t frame[LOG_FRAME_SIZE];
};

// What outlives a life, beside the memfd: the clients, and what the device has got.
struct world {
	struct client member[MEMBERS];
	bool muted_acked[MEMBERS]; // the engine said so, and was not asked to undo it
	uint32_t said[MEMBERS];    // packets of this life
	struct {
		uint32_t size;
		uint8_t pkt[128];
	} last[MEMBERS]; // that the device brought: somebody else says it again
	struct packet_random random;
	uint32_t log_count;
	struct sent log[LOG_FRAMES];
};

static struct world *world; // shared with every life
static struct node node;
static struct node_geometry geometry = {.worker_count = 2,
	.guild_count = 4,
	.session_count = 16,
	.leg_count = 128,
	.queues = {.port_id = 0, .queue_count = 1}};
static int progress_fd;
static uint32_t feed; // packets that the device still brings before the next look around

static const struct dp_handle guild[2] = {{1, 5}, {2, 8}}, room[2] = {{2, 6}, {3, 9}};
static const struct dp_handle spread_guild = {3, 4}, spread_room = {5, 7}; // on worker 1
#define SPREAD_CHANNEL 7

// A device gets the frame when the pen is put down: what a kill cuts off was not sent.
static uint16_t device_tx(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	uint16_t done = 0;
	(void)queue;

	for (; done < count && world->log_count < LOG_FRAMES; done++) {
		struct sent *at = &world->log[world->log_count];

		at->size = rte_pktmbuf_pkt_len(frames[done]);
		DP_ASSERT(at->size <= LOG_FRAME_SIZE);
		memcpy(at->frame, rte_pktmbuf_mtod(frames[done], void *), at->size);
		__atomic_store_n(&world->log_count, world->log_count + 1, __ATOMIC_RELEASE);
		rte_pktmbuf_free(frames[done]);
	}
	return done;
}

// The next packet of a member: media, seldom a keepalive, an IP discovery, or a packet once more.
static uint32_t make_packet(struct client *c, unsigned who, uint8_t *pkt)
{
	uint32_t what = packet_random_below(&world->random, 64);
	uint8_t word[4];
	uint32_t size;
	uint16_t seq;

	memset(pkt, 0, DP_IP_DISCOVERY_SIZE);
	if (what == 0 || is_silent[who])
		return 8;
	if (what == 1) {
		pkt[1] = 1;
		pkt[3] = 70;
		for (unsigned i = 0; i < 4; i++)
			pkt[4 + i] = (uint8_t)(c->ssrc >> (24 - 8 * i));
		return DP_IP_DISCOVERY_SIZE;
	}
	if (what < 6 && world->last[who].size > 0) {
		memcpy(pkt, world->last[who].pkt, world->last[who].size);
		return world->last[who].size;
	}
	// First, so that a life that is killed here leaves a gap, and no number with two meanings.
	seq = c->seq++;
	world->said[who]++;
	c->timestamp += 960;
	memcpy(word,
		(uint8_t[4]){world->muted_acked[who] ? 'm' : 's', (uint8_t)who, (uint8_t)(seq >> 8),
			(uint8_t)seq},
		4);
	size = client_seal(c, seq, word, sizeof(word), pkt);
	world->last[who].size = 0;
	memcpy(world->last[who].pkt, pkt, size);
	// Not what was said under mute: delayed until after it, that is a packet like any other.
	if (!world->muted_acked[who])
		__atomic_store_n(&world->last[who].size, size, __ATOMIC_RELEASE);
	return size;
}

static uint16_t device_rx(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	uint8_t pkt[256], frame[PACKET_FRAME_SIZE_MAX];
	uint16_t made = 0;
	(void)queue;

	if (world->log_count > LOG_FRAMES / 2)
		return 0;
	for (; made < count && feed > 0; made++, feed--) {
		unsigned who = packet_random_below(&world->random, MEMBERS);
		struct client *c = &world->member[who];
		struct packet_udp udp = {.source = c->address, .target = c->server, .payload = pkt};
		uint32_t size;

		frames[made] = rte_pktmbuf_alloc(node.pool);
		if (frames[made] == NULL)
			break;
		udp.payload_size = (uint16_t)make_packet(c, who, pkt);
		memcpy(udp.source_mac, c->mac, 6);
		memcpy(udp.target_mac, node.host.mac, 6);
		size = packet_udp(frame, &udp);
		memcpy(rte_pktmbuf_append(frames[made], (uint16_t)size), frame, size);
	}
	return made;
}

// DPDK without huge pages shares its memory with whoever was forked. A life has its own, so that
// what it leaves half done is gone with it.
static int keep_to_myself(const struct rte_memseg_list *list, void *arg)
{
	int fd = list->external
			 ? -1
			 : rte_memseg_get_fd_thread_unsafe(rte_fbarray_get(&list->memseg_arr, 0));
	(void)arg;

	if (fd < 0)
		return 0; // it is ours already
	return mmap(list->base_va, list->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
		       0) == list->base_va
		       ? 0
		       : -1;
}

static void live(uint32_t epoch)
{
	struct shm_geometry shape = {.worker_count = geometry.worker_count,
		.guild_count = geometry.guild_count,
		.session_count = geometry.session_count,
		.leg_count = geometry.leg_count};
	char why[400] = "";
	bool kept;

	DP_ASSERT(rte_memseg_list_walk_thread_unsafe(keep_to_myself, NULL) == 0);
	rte_eth_fp_ops[0].rx_pkt_burst = device_rx;
	rte_eth_fp_ops[0].tx_pkt_burst = device_tx;
	DP_ASSERT(shm_map(progress_fd, &shape, epoch, rte_get_tsc_hz(), &geometry.shm, &kept, why,
			  sizeof(why)) == 0);
	DP_ASSERT(kept == (epoch > 1));
	node_start(&node, &geometry);
	node_unlimit(&node);
	node_check_ledger(&node);
}

// What control does after HELLO, and (in the first life) what clients do at their join.
static void replay_intent(bool first)
{
	union dp_msg cmd;

	for (unsigned w = 0; w < 2; w++) {
		DP_ASSERT(node_guild(&node, w, guild[w]) == 0);
		DP_ASSERT(node_room_part(&node, w, guild[w], room[w], w == 0 ? SPREAD_CHANNEL : 8,
				  w == 0 ? 2 : 0) == 0);
	}
	cmd = (union dp_msg){
		.dp_guild_open = {.guild = spread_guild, .guild_id = 1000 + guild[0].index}};
	DP_ASSERT(node_command(&node, 1, DP_MSG_GUILD_OPEN, &cmd) == 0);
	DP_ASSERT(node_room_part(&node, 1, spread_guild, spread_room, SPREAD_CHANNEL, 1) == 0);
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct client *c = &world->member[i];

		DP_ASSERT(client_add(c) == 0);
		world->muted_acked[i] = (c->flags & DP_SESSION_MUTE) != 0;
		DP_ASSERT(client_key(c) == 0);
		if (first) {
			uint8_t ask[DP_IP_DISCOVERY_SIZE] = {0, 1, 0, 70, (uint8_t)(c->ssrc >> 24),
				(uint8_t)(c->ssrc >> 16), (uint8_t)(c->ssrc >> 8),
				(uint8_t)c->ssrc};

			client_send_raw(c, ask, sizeof(ask));
			node_turn(&node);
			DP_ASSERT(client_hint(c) == 0);
		}
	}
}

static void moderate(void)
{
	unsigned who = packet_random_below(&world->random, MEMBERS);
	struct client *c = &world->member[who];
	uint32_t flags = c->flags ^ DP_SESSION_MUTE;
	union dp_msg cmd;

	if (!is_moderated[who])
		return;
	world->muted_acked[who] = false;
	c->flags = flags; // intent is written before it is acted on
	cmd = (union dp_msg){
		.dp_session_set = {.session = c->session, .room = c->room, .flags = flags}};
	DP_ASSERT(node_command(&node, c->worker, DP_MSG_SESSION_SET, &cmd) == 0);
	world->muted_acked[who] = (flags & DP_SESSION_MUTE) != 0;
}

static void serve(uint32_t turns)
{
	for (uint32_t i = 0; i < turns; i++) {
		feed = packet_random_below(&world->random, 2 * DP_BURST_MAX);
		if (packet_random_below(&world->random, 16) == 0)
			moderate();
		node_turn(&node);
	}
}

static pid_t be_born(uint32_t epoch, uint32_t turns)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	live(epoch);
	replay_intent(epoch == 1);
	serve(turns);
	node_fini(&node); // every mbuf is home, every ledger balances
	_exit(0);
}

struct heard {
	uint32_t count;
	uint16_t seq;  // as this receiver sees it
	uint16_t said; // as the sender said it
	bool any;
};
static struct heard streams[MEMBERS][MEMBERS]; // by receiver, sender
static uint64_t frames_read;

static unsigned member_of(uint32_t ssrc)
{
	unsigned who = 0;

	while (who < MEMBERS && world->member[who].ssrc != ssrc)
		who++;
	assert_true(who < MEMBERS);
	return who;
}

static void read_media(unsigned receiver, const struct node_datagram *d)
{
	struct client_packet p;
	struct heard *h;
	unsigned sender;
	uint16_t said;

	// Asserts that this key's nonces rise, over all lives.
	assert_true(client_open(&world->member[receiver], d, &p));
	assert_int_equal(p.clear_size, 4);
	sender = member_of(p.ssrc);
	assert_int_equal(p.clear[0], 's'); // never what was said under mute
	assert_int_equal(p.clear[1], sender);
	said = (uint16_t)(p.clear[2] << 8 | p.clear[3]);
	h = &streams[receiver][sender];
	if (h->any) {
		assert_in_range((uint16_t)(p.seq - h->seq), 1, GAP_MAX);
		assert_true((int16_t)(said - h->said) > 0); // nothing is heard twice
	}
	h->any = true;
	h->seq = p.seq;
	h->said = said;
	h->count++;
}

// All that the last life gave to the device.
static void read_log(void)
{
	struct node_datagram d;

	for (uint32_t i = 0; i < world->log_count; i++) {
		unsigned receiver = 0;

		memset(&d, 0, sizeof(d));
		d.frame_size = world->log[i].size;
		memcpy(d.frame, world->log[i].frame, d.frame_size);
		node_read(&node, &d);
		while (receiver < MEMBERS && !client_is_target(&world->member[receiver], &d))
			receiver++;
		assert_true(receiver < MEMBERS);
		assert_memory_equal(d.target_mac, world->member[receiver].mac, 6);
		if (d.payload_size == DP_IP_DISCOVERY_SIZE && d.payload[0] == 0)
			continue; // its answer
		read_media(receiver, &d);
	}
	frames_read += world->log_count;
	world->log_count = 0;
}

// Who listens and never speaks has not told anybody where it is since its join.
static void listeners_heard(struct heard before[MEMBERS][MEMBERS])
{
	for (unsigned i = 0; i < LISTENERS; i++) {
		const struct heard *was = &before[listener[i]][speaker_of[i]];
		const struct heard *is = &streams[listener[i]][speaker_of[i]];

		if (world->said[speaker_of[i]] > 4 * DP_BURST_MAX)
			assert_true(is->count > was->count);
	}
}

static void sleep_us(uint32_t us)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = us * 1000L}, NULL);
}

static uint64_t verdict(const struct dp_shm *shm, enum dp_verdict v)
{
	return dp_shm_worker((struct dp_shm *)(uintptr_t)shm, 0)->verdicts[v] +
	       dp_shm_worker((struct dp_shm *)(uintptr_t)shm, 1)->verdicts[v];
}

static void a_kill_in_mid_turn_costs_packets_and_nothing_else(void **state)
{
	struct packet_random random = {.state = 11};
	struct heard before[MEMBERS][MEMBERS];
	int status, lives_that_served = 0;
	(void)state;

	for (uint32_t epoch = 1; epoch <= LIVES + 2; epoch++) {
		bool ends_well = epoch == 1 || epoch == LIVES + 2;
		pid_t pid;

		memcpy(before, streams, sizeof(before));
		memset(world->said, 0, sizeof(world->said));
		pid = be_born(epoch, ends_well ? TURNS_OF_THE_LAST : UINT32_MAX);
		if (!ends_well) {
			// Some die while they take over, most while they serve.
			for (unsigned ms = 0;
				epoch % 4 != 0 && ms < 5000 &&
				__atomic_load_n(&world->log_count, __ATOMIC_ACQUIRE) == 0;
				ms++)
				sleep_us(1000);
			sleep_us(packet_random_below(&random, KILL_US_MAX));
			assert_int_equal(kill(pid, SIGKILL), 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (ends_well)
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		else
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		lives_that_served += world->log_count > 0;
		read_log();
		listeners_heard(before);
	}
	assert_true(lives_that_served > (int)LIVES / 2);
}

static void what_was_in_hand_is_booked(void **state)
{
	struct dp_shm head, *shm;
	(void)state;

	assert_int_equal(pread(progress_fd, &head, sizeof(head), 0), sizeof(head));
	shm = mmap(NULL, head.size, PROT_READ, MAP_SHARED, progress_fd, 0);
	assert_ptr_not_equal(shm, MAP_FAILED);
	printf("%lu frames in %u lives; %lu packets and %lu copies were in hand at a kill\n",
		(unsigned long)frames_read, LIVES + 2, (unsigned long)verdict(shm, DP_CRASH_LOST),
		(unsigned long)verdict(shm, DP_CRASH_UNSENT));
	assert_true(verdict(shm, DP_CRASH_LOST) > 0);
	assert_true(verdict(shm, DP_CRASH_UNSENT) > 0);
	assert_true(verdict(shm, DP_CROSS_STRAY) == 0);
	munmap(shm, head.size);
}

static int setup(void **state)
{
	(void)state;
	world = mmap(
		NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	progress_fd = memfd_create("progress", MFD_CLOEXEC);
	if (world == MAP_FAILED || progress_fd < 0)
		return -1;
	world->random.state = 7;
	node_prepare(&node, &geometry);
	for (unsigned i = 0; i < MEMBERS; i++)
		client_init(&world->member[i], &node, worker_of[i], i,
			i == 6 ? spread_guild : guild[worker_of[i]],
			i == 6 ? spread_room : room[worker_of[i]],
			i % 2 ? DP_SUITE_XCHACHA20_RTPSIZE : DP_SUITE_AES256_GCM_RTPSIZE);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_in_mid_turn_costs_packets_and_nothing_else),
		cmocka_unit_test(what_was_in_hand_is_booked),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
