// SPDX-License-Identifier: BSD-3-Clause
//
// See engine_field.h.
#include "engine_field.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/dp_assert.h"
#include "api/dp_msg.h"
#include "crypto/iv.h"
#include "crypto/suite.h"
#include "run/pipeline.h"

#define HEADER_SIZE 12
#define SAMPLE_COPIES 8192               // packets out per sample: 0.2 to 1 ms
#define SAMPLE_PACKETS_MIN 1             // packets in, of a huge room
#define SAMPLE_PACKETS_MAX 256           // as many as stay in the core's own cache
#define SAMPLE_SPREAD_MAX DP_CROSSED_MAX // as many as the others take in a turn
#define FIRST_SSRC_BLOCK 256             // of session slot 0

struct talker {
	uint32_t slot;
	uint32_t index; // of RTP: roll-over counter and sequence number
	uint32_t timestamp, suffix;
	struct udp_template headers;
	struct suite_key key;
};

static const uint8_t router_mac[6] = {0x02, 0, 0, 0, 0, 2};

static void put32(uint8_t *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t ssrc_of(const struct engine_field *f, uint32_t slot)
{
	uint32_t block = FIRST_SSRC_BLOCK + f->index * field_sessions(&f->node->shape) + slot;

	return block * DP_SSRCS_PER_SESSION;
}

static struct dp_addr address_of(uint32_t slot)
{
	struct dp_addr address = {
		.ip = {10, (uint8_t)(slot >> 16), (uint8_t)(slot >> 8), (uint8_t)slot},
		.port = 40000,
		.family = 4};

	return address;
}

// Master key and salt, as long as the suite has them.
static void key_of(const struct suite *suite, uint32_t slot, uint8_t *key, uint8_t *salt)
{
	for (unsigned i = 0; i < suite->key_size; i++) {
		key[i] = (uint8_t)(i * 7 + (slot >> 8 * (i & 3)));
	}
	for (unsigned i = 0; i < suite->salt_size; i++) {
		salt[i] = (uint8_t)(i * 11 + (slot >> 8 * (i & 3)));
	}
}

static bool turn(struct engine_field *f)
{
	f->worker->now_tsc = rte_rdtsc();
	f->worker->turn++;
	return pipeline_turn(f->worker);
}

static int command(struct engine_field *f, enum dp_msg_type type, union dp_msg *cmd)
{
	struct worker_rings *rings = &f->node->rings[f->index];
	struct dp_ack ack;

	cmd->header.type = (uint16_t)type;
	cmd->header.size = dp_msg_size(type);
	cmd->header.worker = (uint16_t)f->index;
	cmd->header.seq = ++f->next_seq;
	DP_ASSERT(rte_ring_sp_enqueue_elem(rings->command, cmd, sizeof(*cmd)) == 0);
	(void)turn(f);
	DP_ASSERT(rte_ring_sc_dequeue_elem(rings->event, &ack, sizeof(ack)) == 0);
	return ack.error;
}

// An mbuf with the frame of a datagram of 'size' bytes, which are the caller's to fill.
static struct rte_mbuf *datagram(struct engine_field *f, const struct udp_template *headers,
	uint16_t size, uint8_t **payload)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(f->node->pools[f->index]);
	uint8_t *frame;

	DP_ASSERT(mbuf != NULL);
	frame = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)(headers->size + size));
	DP_ASSERT(frame != NULL);
	udp_template_finish(headers, frame, size);
	*payload = frame + headers->size;
	return mbuf;
}

static void template_from(const struct engine_field *f, struct udp_template *headers, uint32_t slot)
{
	struct dp_addr source = address_of(slot), target = engine_node_address(f->index);

	udp_template_build(headers, router_mac, engine_node_mac, &source, &target, 0);
}

static void discover(struct engine_field *f, uint32_t slot)
{
	struct udp_template headers;
	struct rte_mbuf *mbuf;
	uint8_t *request;

	template_from(f, &headers, slot);
	mbuf = datagram(f, &headers, DP_IP_DISCOVERY_SIZE, &request);
	memset(request, 0, DP_IP_DISCOVERY_SIZE);
	request[1] = 1;
	request[3] = DP_IP_DISCOVERY_SIZE - 4;
	put32(request + 4, ssrc_of(f, slot));
	DP_ASSERT(rte_ring_mp_enqueue(f->node->rings[f->index].rx, mbuf) == 0);
	(void)turn(f);
}

static int join(struct engine_field *f, uint32_t slot, struct dp_handle room)
{
	const struct field_shape *shape = &f->node->shape;
	struct dp_handle session = {.index = slot, .generation = 1};
	union dp_msg add = {.dp_session_add = {.session = session,
				    .guild = room,
				    .room = room,
				    .ssrc = ssrc_of(f, slot),
				    .flags = shape->mode == BENCH_OPEN ? DP_SESSION_SELF_DEAF : 0}};
	union dp_msg key = {
		.dp_session_key = {.session = session, .key_id = 1, .suite = shape->suite}};
	union dp_msg hint = {.dp_session_hint = {.session = session, .address = address_of(slot)}};
	int err = command(f, DP_MSG_SESSION_ADD, &add);

	key_of(suite_get(shape->suite), slot, key.dp_session_key.key, key.dp_session_key.salt);
	if (err == 0) {
		err = command(f, DP_MSG_SESSION_KEY, &key);
	}
	discover(f, slot);
	return err == 0 ? command(f, DP_MSG_SESSION_HINT, &hint) : err;
}

static int talker_init(struct engine_field *f, struct talker *t, uint32_t slot)
{
	const struct suite *suite = suite_get(f->node->shape.suite);
	uint8_t key[DP_KEY_SIZE_MAX], salt[DP_SALT_SIZE_MAX] = {0};

	*t = (struct talker){.slot = slot, .index = slot & UINT16_MAX};
	template_from(f, &t->headers, slot);
	key_of(suite, slot, key, salt);
	return suite->key_expand(f->crypto, &t->key, key, salt);
}

// A guild with one room, its talkers first. The same handle names guild and room.
static int open_room(struct engine_field *f, uint32_t index)
{
	const struct field_shape *shape = &f->node->shape;
	struct dp_handle room = {.index = index, .generation = 1};
	uint64_t everywhere = (1ull << shape->spread) - 1;
	union dp_msg guild_open = {.dp_guild_open = {.guild = room, .guild_id = index + 1}};
	union dp_msg room_open = {.dp_room_open = {.room = room,
					  .guild = room,
					  .channel_id = index + 1,
					  .peers = everywhere & ~(1ull << f->index)}};
	uint32_t first = index * shape->members;
	int err = command(f, DP_MSG_GUILD_OPEN, &guild_open);

	if (err == 0) {
		err = command(f, DP_MSG_ROOM_OPEN, &room_open);
	}
	for (uint32_t i = 0; i < field_members(shape, f->index) && err == 0; i++) {
		err = join(f, first + i, room);
	}
	for (uint32_t i = 0; i < field_talkers(shape, f->index) && err == 0; i++) {
		err = talker_init(f, &f->talkers[i * shape->rooms + index], first + i);
	}
	return err;
}

int engine_field_init(struct engine_field *f, struct engine_node *node, unsigned index)
{
	const struct field_shape *shape = &node->shape;
	char why[256] = "no memory";
	int err = 0;

	*f = (struct engine_field){.node = node,
		.index = index,
		.worker = node->workers[index],
		.talker_count = shape->rooms * field_talkers(shape, index)};
	f->talkers = aligned_alloc(alignof(struct talker), f->talker_count * sizeof(struct talker));
	f->crypto = crypto_engine_create(shape->engine, why, sizeof(why));
	if (f->talkers == NULL || f->crypto == NULL) {
		fprintf(stderr, "engine_bench: talkers: %s\n", why);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < shape->rooms && err == 0; i++) {
		err = open_room(f, i);
	}
	if (err != 0) {
		fprintf(stderr, "engine_bench: rooms: %s\n", strerror(-err));
	}
	return err;
}

void engine_field_fini(struct engine_field *f)
{
	crypto_engine_destroy(f->crypto);
	free(f->talkers);
}

// The next packet of the next talker in turn, sealed, before the worker.
static void feed(struct engine_field *f)
{
	const struct field_shape *shape = &f->node->shape;
	const struct suite *suite = suite_get(shape->suite);
	struct talker *t = &f->talkers[f->fed % f->talker_count];
	uint8_t clear[DP_PAYLOAD_SIZE_MAX], *rtp;
	uint16_t size = (uint16_t)(HEADER_SIZE + shape->payload + suite->overhead);
	struct rte_mbuf *mbuf = datagram(f, &t->headers, size, &rtp);
	struct seal_job job = {.key = &t->key,
		.src = clear,
		.dst = rtp + HEADER_SIZE,
		.aad = rtp,
		.src_size = (uint16_t)shape->payload,
		.aad_size = HEADER_SIZE};

	memset(clear, (int)f->fed, shape->payload);
	put32(rtp, 0x80000000u | DP_OPUS_PAYLOAD_TYPE << 16 | (t->index & UINT16_MAX));
	put32(rtp + 4, t->timestamp += 960);
	put32(rtp + 8, ssrc_of(f, t->slot));
	if (suite->salt_size == 0) {
		put32(job.iv, t->suffix++);
	} else {
		iv_srtp(job.iv, suite->id, ssrc_of(f, t->slot), t->index);
	}
	t->index++;
	suite->seal(f->crypto, &(struct seal_job *){&job}, 1);
	DP_ASSERT(rte_ring_mp_enqueue(f->node->rings[f->index].rx, mbuf) == 0);
	f->fed++;
}

// A worker that the machine keeps from running still has much that crossed to it.
static bool is_behind(const struct engine_field *f)
{
	for (unsigned i = 0; i < f->node->shape.spread; i++) {
		if (rte_ring_count(f->node->rings[i].cross) > DP_CROSS_MAX / 2) {
			return true;
		}
	}
	return false;
}

uint32_t engine_field_feed(struct engine_field *f)
{
	uint32_t max = f->node->shape.spread > 0 ? SAMPLE_SPREAD_MAX : SAMPLE_PACKETS_MAX;
	uint32_t copies = field_copies(&f->node->shape);
	uint32_t packets = SAMPLE_COPIES / (copies > 0 ? copies : 1);

	packets = packets < SAMPLE_PACKETS_MIN ? SAMPLE_PACKETS_MIN : packets > max ? max : packets;
	if (is_behind(f)) {
		return 0;
	}
	for (uint32_t i = 0; i < packets; i++) {
		feed(f);
	}
	return packets;
}

void engine_field_work(struct engine_field *f)
{
	const struct rte_ring *ring = f->node->rings[f->index].rx;

	if (f->node->shape.spread > 0) {
		(void)turn(f);
	}
	while (rte_ring_count(ring) > 0) {
		(void)turn(f);
	}
}

uint64_t engine_field_sent(const struct engine_field *f)
{
	return dp_shm_worker(f->node->shm, f->index)->counters[DP_COUNTER_SENT];
}

int engine_field_check(const struct engine_field *f, uint64_t all_fed, struct engine_ledger *ledger)
{
	const struct dp_worker_shm *shm = dp_shm_worker(f->node->shm, f->index);
	const struct field_shape *shape = &f->node->shape;
	enum dp_verdict good = shape->mode == BENCH_OPEN ? DP_NO_RECEIVER : DP_FORWARDED;
	uint64_t came = shape->spread > 0 ? all_fed : f->fed;
	uint64_t crossed = came - f->fed, members = field_members(shape, f->index);
	uint64_t asked = shape->mode == BENCH_OPEN ? 0 : f->fed * (members - 1) + crossed * members;
	int err = 0;

	*ledger = (struct engine_ledger){.fed = f->fed,
		.opened = shm->verdicts[DP_FORWARDED] + shm->verdicts[DP_NO_RECEIVER] - crossed,
		.forwarded = shm->verdicts[DP_FORWARDED] - crossed,
		.sent = engine_field_sent(f) - shape->rooms * members}; // discoveries
	for (unsigned v = 0; v < DP_VERDICT_COUNT; v++) {
		if (shm->verdicts[v] > 0 && v != good && v != DP_DISCOVERY) {
			err = -EBADMSG;
			fprintf(stderr, "engine_bench: %llu packets %s\n",
				(unsigned long long)shm->verdicts[v],
				dp_verdict_label((enum dp_verdict)v));
		}
	}
	if (shm->verdicts[good] != came || ledger->sent != asked ||
		shm->counters[DP_COUNTER_CROSSED_IN] != crossed ||
		rte_mempool_in_use_count(f->node->pools[f->index]) != 0) {
		err = -EBADMSG;
	}
	if (err != 0) {
		fprintf(stderr,
			"engine_bench: worker %u: %llu packets gave %llu copies, not %llu, and %u"
			" buffers did not come home\n",
			f->index, (unsigned long long)came, (unsigned long long)ledger->sent,
			(unsigned long long)asked,
			rte_mempool_in_use_count(f->node->pools[f->index]));
	}
	return err;
}
