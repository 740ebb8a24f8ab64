// SPDX-License-Identifier: BSD-3-Clause
//
// See engine_field.h.
#include "engine_field.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "api/dp_assert.h"
#include "api/dp_msg.h"
#include "api/dp_shm.h"
#include "crypto/suite.h"
#include "proto/udp_frame.h"
#include "run/pipeline.h"
#include "seal_only.h"
#include "worker/worker.h"

#define DESCRIPTORS 1024
#define POOL_SIZE 16383 // copies of a wave, and the packets that wait in the ring
#define POOL_CACHE 256  // as host/port.c
#define FIRST_PORT 50000
#define HUGE_PAGE_SIZE ((size_t)2 << 20)
#define HEADER_SIZE 12
#define SAMPLE_COPIES 8192   // packets out per sample: 0.2 to 1 ms
#define SAMPLE_PACKETS 256   // packets in per sample, at most
#define FIRST_SSRC_BLOCK 256 // of session slot 0

struct speaker {
	uint32_t slot;
	uint16_t seq;
	uint32_t timestamp, suffix;
	struct udp_template headers;
	struct suite_key key;
};

struct engine_field {
	struct engine_field_params params;
	uint32_t room_count, session_count;
	struct worker *worker;
	struct worker_rings rings;
	struct udp_frame_host host;
	struct rte_mempool *pool;
	struct dp_shm *shm;
	struct crypto_engine *crypto;
	struct speaker *speakers; // by room
	uint64_t fed;             // media packets put before the worker
	uint32_t next_seq;        // of commands
	uint16_t port_id;
	bool stop, hugepages, started;
};

static const uint8_t node_mac[6] = {0x02, 0, 0, 0, 0, 1}, router_mac[6] = {0x02, 0, 0, 0, 0, 2};

static void put32(uint8_t *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t ssrc_of(uint32_t slot)
{
	return (FIRST_SSRC_BLOCK + slot) * DP_SSRCS_PER_SESSION;
}

static struct dp_addr address_of(uint32_t slot)
{
	struct dp_addr address = {
		.ip = {10, (uint8_t)(slot >> 16), (uint8_t)(slot >> 8), (uint8_t)slot},
		.port = 40000,
		.family = 4};

	return address;
}

static struct dp_addr node_address(void)
{
	return (struct dp_addr){.ip = {192, 0, 2, 1}, .port = FIRST_PORT, .family = 4};
}

static void key_of(uint32_t slot, uint8_t key[DP_KEY_SIZE_MAX])
{
	for (unsigned i = 0; i < DP_KEY_SIZE_MAX; i++) {
		key[i] = (uint8_t)(i * 7 + (slot >> 8 * (i & 3)));
	}
}

// Enough of them for the pool; without, EAL is told to do without.
static bool hugepages_free(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long free_pages = 0;
	char line[128];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "HugePages_Free: %lu", &free_pages) == 1) {
			break;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return free_pages >= 64;
}

static int start_eal(struct engine_field *f)
{
	char lcores[32], *args[] = {"engine_bench", lcores, "--no-pci", "--no-telemetry",
				 "--log-level=*:warning", "--vdev=net_null0", "--in-memory", NULL,
				 NULL, NULL};
	int count = 7;

	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", sched_getcpu());
	f->hugepages = hugepages_free();
	if (!f->hugepages) {
		args[6] = "--no-huge";
		args[7] = "--no-shconf";
		args[8] = "-m128";
		count = 9;
	}
	return rte_eal_init(count, args);
}

static int start_port(struct engine_field *f)
{
	struct rte_eth_conf conf = {0};
	int err = rte_eth_dev_get_port_by_name("net_null0", &f->port_id);

	f->pool = rte_pktmbuf_pool_create(
		"bench", POOL_SIZE, POOL_CACHE, 0, 2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (err != 0 || f->pool == NULL) {
		return err != 0 ? err : -ENOMEM;
	}
	err = rte_eth_dev_configure(f->port_id, 1, 1, &conf);
	if (err == 0) {
		err = rte_eth_rx_queue_setup(
			f->port_id, 0, DESCRIPTORS, (unsigned)SOCKET_ID_ANY, NULL, f->pool);
	}
	if (err == 0) {
		err = rte_eth_tx_queue_setup(
			f->port_id, 0, DESCRIPTORS, (unsigned)SOCKET_ID_ANY, NULL);
	}
	return err == 0 ? rte_eth_dev_start(f->port_id) : err;
}

static int make_rings(struct worker_rings *r)
{
	unsigned both = RING_F_SP_ENQ | RING_F_SC_DEQ;

	r->command = rte_ring_create_elem(
		"command", sizeof(union dp_msg), WORKER_COMMAND_RING_SIZE, SOCKET_ID_ANY, both);
	r->event = rte_ring_create_elem(
		"event", sizeof(struct dp_ack), WORKER_EVENT_RING_SIZE, SOCKET_ID_ANY, both);
	r->rx = rte_ring_create("rx", DP_HANDOFF_MAX, SOCKET_ID_ANY, RING_F_SC_DEQ);
	r->tx = rte_ring_create("tx", DP_HANDOFF_MAX, SOCKET_ID_ANY, RING_F_SC_DEQ);
	return r->command != NULL && r->event != NULL && r->rx != NULL && r->tx != NULL ? 0
											: -ENOMEM;
}

static int make_worker(struct engine_field *f)
{
	struct dp_shm shm = {.magic = DP_SHM_MAGIC,
		DP_SHM_LAYOUT,
		.worker_count = 1,
		.guild_count = f->room_count,
		.session_count = f->session_count,
		.leg_count = f->params.receivers + 2};
	struct worker_params params = {.worker_count = 1,
		.port_id = f->port_id,
		.rx_queue = WORKER_NO_QUEUE, // everything comes by the ring
		.numa_socket = -1,
		.idle = WORKER_IDLE_POLL,
		.host = &f->host,
		.pool = f->pool,
		.shm = NULL,
		.rings = &f->rings,
		.stop = &f->stop};

	shm.size = dp_shm_size(&shm);
	f->shm = aligned_alloc(
		HUGE_PAGE_SIZE, (shm.size + HUGE_PAGE_SIZE - 1) / HUGE_PAGE_SIZE * HUGE_PAGE_SIZE);
	if (f->shm == NULL) {
		return -ENOMEM;
	}
	(void)madvise(f->shm, shm.size, MADV_HUGEPAGE); // a wish: less of it is only slower
	memset(f->shm, 0, shm.size);
	*f->shm = shm;
	f->host = (struct udp_frame_host){.addresses = {node_address()},
		.address_count = 1,
		.first_port = FIRST_PORT,
		.port_count = 1};
	memcpy(f->host.mac, node_mac, sizeof(node_mac));
	params.shm = f->shm;
	f->worker = worker_create(&params);
	if (f->worker == NULL) {
		return -ENOMEM;
	}
	// The bench asks how many packets a core carries, not how many one speaker may bring.
	f->worker->rates[STREAM_AUDIO] = (struct stream_rate){.burst_tsc = UINT64_MAX};
	return 0;
}

static bool turn(struct engine_field *f)
{
	f->worker->now_tsc = rte_rdtsc();
	f->worker->turn++;
	return pipeline_turn(f->worker);
}

static int command(struct engine_field *f, enum dp_msg_type type, union dp_msg *cmd)
{
	struct dp_ack ack;

	cmd->header.type = (uint16_t)type;
	cmd->header.size = dp_msg_size(type);
	cmd->header.seq = ++f->next_seq;
	DP_ASSERT(rte_ring_sp_enqueue_elem(f->rings.command, cmd, sizeof(*cmd)) == 0);
	(void)turn(f);
	DP_ASSERT(rte_ring_sc_dequeue_elem(f->rings.event, &ack, sizeof(ack)) == 0);
	return ack.error;
}

// An mbuf with the frame of a datagram of 'size' bytes, which are the caller's to fill.
static struct rte_mbuf *datagram(struct engine_field *f, const struct udp_template *headers,
	uint16_t size, uint8_t **payload)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(f->pool);
	uint8_t *frame;

	DP_ASSERT(mbuf != NULL);
	frame = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)(headers->size + size));
	DP_ASSERT(frame != NULL);
	udp_template_finish(headers, frame, size);
	*payload = frame + headers->size;
	return mbuf;
}

static void template_from(struct udp_template *headers, uint32_t slot)
{
	struct dp_addr source = address_of(slot), target = node_address();

	udp_template_build(headers, router_mac, node_mac, &source, &target, 0);
}

static void discover(struct engine_field *f, uint32_t slot)
{
	struct udp_template headers;
	struct rte_mbuf *mbuf;
	uint8_t *request;

	template_from(&headers, slot);
	mbuf = datagram(f, &headers, DP_IP_DISCOVERY_SIZE, &request);
	memset(request, 0, DP_IP_DISCOVERY_SIZE);
	request[1] = 1;
	request[3] = DP_IP_DISCOVERY_SIZE - 4;
	put32(request + 4, ssrc_of(slot));
	DP_ASSERT(rte_ring_mp_enqueue(f->rings.rx, mbuf) == 0);
	(void)turn(f);
}

static int join(struct engine_field *f, uint32_t slot, struct dp_handle room)
{
	struct dp_handle session = {.index = slot, .generation = 1};
	union dp_msg add = {
		.dp_session_add = {
			.session = session, .guild = room, .room = room, .ssrc = ssrc_of(slot)}};
	union dp_msg key = {
		.dp_session_key = {.session = session, .key_id = 1, .suite = f->params.suite}};
	union dp_msg hint = {.dp_session_hint = {.session = session, .address = address_of(slot)}};
	int err = command(f, DP_MSG_SESSION_ADD, &add);

	key_of(slot, key.dp_session_key.key);
	if (err == 0) {
		err = command(f, DP_MSG_SESSION_KEY, &key);
	}
	discover(f, slot);
	return err == 0 ? command(f, DP_MSG_SESSION_HINT, &hint) : err;
}

// A guild with one room: its speaker, then its listeners. The same handle names guild and room.
static int open_room(struct engine_field *f, uint32_t index)
{
	struct dp_handle room = {.index = index, .generation = 1};
	union dp_msg guild_open = {.dp_guild_open = {.guild = room, .guild_id = index + 1}};
	union dp_msg room_open = {
		.dp_room_open = {.room = room, .guild = room, .channel_id = index + 1}};
	struct speaker *s = &f->speakers[index];
	uint8_t key[DP_KEY_SIZE_MAX];
	int err = command(f, DP_MSG_GUILD_OPEN, &guild_open);

	if (err == 0) {
		err = command(f, DP_MSG_ROOM_OPEN, &room_open);
	}
	*s = (struct speaker){.slot = index * (f->params.fanout + 1), .seq = (uint16_t)index};
	template_from(&s->headers, s->slot);
	key_of(s->slot, key);
	if (err == 0) {
		err = suite_get(f->params.suite)->key_expand(f->crypto, &s->key, key, NULL);
	}
	for (uint32_t i = 0; i <= f->params.fanout && err == 0; i++) {
		err = join(f, s->slot + i, room);
	}
	return err;
}

static int open_rooms(struct engine_field *f)
{
	int err = 0;

	f->speakers =
		aligned_alloc(alignof(struct speaker), f->room_count * sizeof(struct speaker));
	if (f->speakers == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < f->room_count && err == 0; i++) {
		err = open_room(f, i);
	}
	return err;
}

static void release(struct engine_field *f)
{
	worker_destroy(f->worker);
	crypto_engine_destroy(f->crypto);
	if (f->started) {
		(void)rte_eth_dev_stop(f->port_id);
		rte_eal_cleanup();
	}
	free(f->speakers);
	free(f->shm);
	free(f);
}

struct engine_field *engine_field_create(const struct engine_field_params *params)
{
	struct engine_field *f = calloc(1, sizeof(*f));
	const char *what = "memory";
	int err = -ENOMEM;

	if (f == NULL) {
		return NULL;
	}
	f->params = *params;
	f->room_count = params->receivers / params->fanout;
	f->session_count = f->room_count * (params->fanout + 1);
	f->crypto = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
	if (f->crypto == NULL || start_eal(f) < 0) {
		what = f->crypto == NULL ? "cipher engine" : "EAL";
		goto fail;
	}
	f->started = true;
	what = "port";
	err = start_port(f);
	if (err == 0) {
		what = "worker";
		err = make_rings(&f->rings);
	}
	if (err == 0) {
		err = make_worker(f);
	}
	if (err == 0) {
		what = "rooms";
		err = open_rooms(f);
	}
	if (err == 0) {
		return f;
	}

fail:
	fprintf(stderr, "engine_bench: %s: %s\n", what, strerror(err < 0 ? -err : err));
	release(f);
	return NULL;
}

// The next packet of the next speaker in turn, sealed, before the worker.
static void feed(struct engine_field *f)
{
	struct speaker *s = &f->speakers[f->fed % f->room_count];
	uint8_t clear[DP_PAYLOAD_SIZE_MAX], *rtp;
	uint16_t size = (uint16_t)(HEADER_SIZE + f->params.payload + DP_RTPSIZE_OVERHEAD);
	struct rte_mbuf *mbuf = datagram(f, &s->headers, size, &rtp);
	struct seal_job job = {.key = &s->key,
		.src = clear,
		.dst = rtp + HEADER_SIZE,
		.aad = rtp,
		.src_size = (uint16_t)f->params.payload,
		.aad_size = HEADER_SIZE};

	memset(clear, (int)f->fed, f->params.payload);
	put32(rtp, 0x80000000u | DP_OPUS_PAYLOAD_TYPE << 16 | s->seq++);
	put32(rtp + 4, s->timestamp += 960);
	put32(rtp + 8, ssrc_of(s->slot));
	put32(job.iv, s->suffix++);
	suite_get(f->params.suite)->seal(f->crypto, &(struct seal_job *){&job}, 1);
	DP_ASSERT(rte_ring_mp_enqueue(f->rings.rx, mbuf) == 0);
	f->fed++;
}

double engine_field_sample(struct engine_field *f)
{
	uint32_t packets = SAMPLE_COPIES / f->params.fanout;
	double start;

	packets = packets < 1 ? 1 : packets > SAMPLE_PACKETS ? SAMPLE_PACKETS : packets;
	for (uint32_t i = 0; i < packets; i++) {
		feed(f);
	}
	start = bench_now_ns();
	while (rte_ring_count(f->rings.rx) > 0) {
		(void)turn(f);
	}
	return (bench_now_ns() - start) / packets / f->params.fanout;
}

static int check_ledger(const struct engine_field *f)
{
	const struct dp_worker_shm *shm = dp_shm_worker(f->shm, 0);
	uint64_t copies = f->fed * f->params.fanout;
	int err = 0;

	if (shm->counters[DP_COUNTER_SENT] != copies + f->session_count ||
		shm->verdicts[DP_FORWARDED] != f->fed || rte_mempool_in_use_count(f->pool) != 0) {
		err = -EBADMSG;
	}
	for (unsigned v = 0; v < DP_VERDICT_COUNT; v++) {
		if (shm->verdicts[v] > 0 && v != DP_FORWARDED && v != DP_DISCOVERY) {
			err = -EBADMSG;
			fprintf(stderr, "engine_bench: %llu packets %s\n",
				(unsigned long long)shm->verdicts[v],
				dp_verdict_label((enum dp_verdict)v));
		}
	}
	if (err != 0) {
		fprintf(stderr,
			"engine_bench: %llu packets for %u receivers each gave %llu copies\n",
			(unsigned long long)f->fed, f->params.fanout,
			(unsigned long long)shm->counters[DP_COUNTER_SENT] - f->session_count);
	}
	return err;
}

int engine_field_destroy(struct engine_field *f)
{
	int err = check_ledger(f);

	release(f);
	return err;
}

struct crypto_engine *engine_field_crypto(struct engine_field *f)
{
	return f->crypto;
}

const char *engine_field_memory(const struct engine_field *f)
{
	return f->hugepages ? "hugepages" : "small pages";
}
