// SPDX-License-Identifier: BSD-3-Clause
//
// A node without a device.

#include "support/node.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/dp_assert.h"
#include "crypto/suite.h"
#include "run/pipeline.h"

static const uint8_t node_mac[6] = {0x02, 0, 0, 0, 0, 0x01};

void node_start_eal(void)
{
	static bool started;
	static char *args[] = {"test", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"-m64", "--lcores=0", "--log-level=error", NULL};

	if (started)
		return;
	DP_ASSERT(rte_eal_init(8, args) >= 0);
	started = true;
}

static struct rte_ring *make_ring(
	const char *kind, uint32_t worker, uint32_t element_size, uint32_t count, unsigned flags)
{
	static unsigned serial;
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "%s%u_%u", kind, worker, serial++);
	ring = element_size == 0
		       ? rte_ring_create(name, count, SOCKET_ID_ANY, flags)
		       : rte_ring_create_elem(name, element_size, count, SOCKET_ID_ANY, flags);
	DP_ASSERT(ring != NULL);
	return ring;
}

static void make_workers(struct node *n)
{
	for (uint32_t i = 0; i < n->worker_count; i++) {
		struct worker_params params = {
			.index = (uint16_t)i,
			.worker_count = (uint16_t)n->worker_count,
			.port_id = n->queues.port_id,
			.rx_queue = WORKER_NO_QUEUE,
			.tx_queue = WORKER_NO_QUEUE,
			.tx_owner = n->queues.queue_count > 0 ? 0 : (uint16_t)n->worker_count,
			.numa_socket = -1,
			.answers_neighbors = true,
			.host = &n->host,
			.pool = n->pool,
			.remote_count = n->worker_count > 1 ? n->remote_count : 0,
			.shm = n->shm,
			.rings = n->rings,
			.stop = &n->stop,
		};

		if (i < n->queues.queue_count)
			params.rx_queue = params.tx_queue = (uint16_t)i;
		n->workers[i] = worker_create(&params);
		DP_ASSERT(n->workers[i] != NULL);
	}
	if (n->unlimited)
		node_unlimit(n);
}

void node_unlimit(struct node *n)
{
	n->unlimited = true;
	for (uint32_t i = 0; i < n->worker_count; i++) {
		for (unsigned kind = 0; kind < STREAM_KIND_COUNT; kind++)
			n->workers[i]->rates[kind] = (struct stream_rate){.burst_tsc = UINT64_MAX};
	}
}

void node_prepare(struct node *n, const struct node_geometry *geometry)
{
	node_start_eal();
	DP_ASSERT(geometry->worker_count <= NODE_WORKERS_MAX);
	memset(n, 0, sizeof(*n));
	n->worker_count = geometry->worker_count;
	n->queues = geometry->queues;
	n->remote_count =
		geometry->remote_count != 0 ? geometry->remote_count : DP_REMOTE_STREAMS_MAX;
	n->host = (struct udp_frame_host){.address_count = 2,
		.first_port = NODE_FIRST_PORT,
		.port_count = (uint16_t)geometry->worker_count};
	n->host.addresses[0] = packet_addr("192.0.2.1", 0);
	n->host.addresses[1] = packet_addr("2001:db8::1", 0);
	memcpy(n->host.mac, node_mac, sizeof(node_mac));
	n->crypto = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
	DP_ASSERT(n->crypto != NULL);
}

static struct dp_shm *make_shm(const struct node_geometry *geometry)
{
	struct dp_shm shm = {.magic = DP_SHM_MAGIC,
		DP_SHM_LAYOUT,
		.worker_count = geometry->worker_count,
		.guild_count = geometry->guild_count,
		.session_count = geometry->session_count,
		.leg_count = geometry->leg_count};
	struct dp_shm *made;

	shm.size = dp_shm_size(&shm);
	made = aligned_alloc(DP_CACHE_LINE, dp_shm_align(shm.size));
	DP_ASSERT(made != NULL);
	memset(made, 0, shm.size);
	*made = shm;
	return made;
}

void node_start(struct node *n, const struct node_geometry *geometry)
{
	uint32_t pool_count = geometry->pool_count != 0 ? geometry->pool_count : NODE_POOL_SIZE;
	uint32_t wire_count = geometry->wire_count != 0 ? geometry->wire_count : DP_HANDOFF_MAX;
	uint32_t ring_count = geometry->ring_count != 0 ? geometry->ring_count : DP_HANDOFF_MAX;
	uint32_t cross_count = geometry->cross_count != 0 ? geometry->cross_count : DP_CROSS_MAX;

	n->pool = rte_pktmbuf_pool_create(
		"pool", pool_count, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	DP_ASSERT(n->pool != NULL);
	n->owns_shm = geometry->shm == NULL;
	n->shm = n->owns_shm ? make_shm(geometry) : geometry->shm;
	for (uint32_t i = 0; i <= n->worker_count; i++) {
		n->rings[i].command = make_ring("cmd", i, sizeof(union dp_msg),
			WORKER_COMMAND_RING_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ);
		n->rings[i].event = make_ring("evt", i, sizeof(struct dp_ack),
			WORKER_EVENT_RING_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ);
		n->rings[i].rx = make_ring("rx", i, 0, ring_count, RING_F_SC_DEQ);
		n->rings[i].cross = make_ring("cross", i, 0, cross_count, RING_F_SC_DEQ);
		n->rings[i].tx = make_ring(
			"tx", i, 0, i == n->worker_count ? wire_count : ring_count, RING_F_SC_DEQ);
	}
	make_workers(n);
}

void node_init(struct node *n, const struct node_geometry *geometry)
{
	node_prepare(n, geometry);
	node_start(n, geometry);
}

void node_restart(struct node *n)
{
	node_drain(n);
	for (uint32_t i = 0; i < n->worker_count; i++)
		worker_destroy(n->workers[i]);
	make_workers(n);
}

static uint64_t class_sum(const struct dp_worker_shm *shm, enum dp_class klass)
{
	uint64_t sum = 0;

	for (unsigned v = 0; v < DP_VERDICT_COUNT; v++) {
		if (dp_verdict_class((enum dp_verdict)v) == klass)
			sum += shm->verdicts[v];
	}
	return sum;
}

void node_check_ledger(const struct node *n)
{
	for (uint32_t i = 0; i < n->worker_count; i++) {
		const struct dp_worker_shm *shm = dp_shm_worker(n->shm, i);
		const uint64_t *c = shm->counters;
		uint64_t left = 0;

		for (unsigned k = DP_CLASS_FORWARDED; k <= DP_CLASS_DROPPED; k++)
			left += class_sum(shm, (enum dp_class)k);
		DP_ASSERT(shm->verdicts[DP_OK] == 0);
		DP_ASSERT(c[DP_COUNTER_RECEIVED] + c[DP_COUNTER_HANDED_IN] +
				  c[DP_COUNTER_CROSSED_IN] ==
			  left);
		DP_ASSERT(c[DP_COUNTER_JOBS] + c[DP_COUNTER_ORIGINATED] +
				  c[DP_COUNTER_TX_HANDED_IN] ==
			  c[DP_COUNTER_SENT] + c[DP_COUNTER_TX_HANDED_OUT] +
				  c[DP_COUNTER_CROSSED_OUT] + class_sum(shm, DP_CLASS_NOT_SENT));
	}
}

void node_fini(struct node *n)
{
	node_turn(n);
	node_drain(n);
	node_check_ledger(n);
	DP_ASSERT(rte_mempool_in_use_count(n->pool) == 0);
	for (uint32_t i = 0; i < n->worker_count; i++)
		worker_destroy(n->workers[i]);
	for (uint32_t i = 0; i <= n->worker_count; i++) {
		rte_ring_free(n->rings[i].command);
		rte_ring_free(n->rings[i].event);
		rte_ring_free(n->rings[i].rx);
		rte_ring_free(n->rings[i].cross);
		rte_ring_free(n->rings[i].tx);
	}
	rte_mempool_free(n->pool);
	crypto_engine_destroy(n->crypto);
	if (n->owns_shm)
		free(n->shm);
}

void node_turn(struct node *n)
{
	bool busy = true;

	while (busy) {
		busy = false;
		for (uint32_t i = 0; i < n->worker_count; i++) {
			n->workers[i]->now_tsc =
				n->now_tsc != 0 ? n->now_tsc : __builtin_ia32_rdtsc();
			busy |= pipeline_turn(n->workers[i]);
		}
	}
}

static struct rte_ring *wire_in(const struct node *n, uint32_t worker)
{
	if (n->queues.rx[0] == NULL)
		return n->rings[worker].rx;
	return n->queues.rx[worker < n->queues.queue_count ? worker : 0];
}

// The oldest frame that was sent; of several queues, those of the first come first.
static struct rte_mbuf *wire_out(const struct node *n)
{
	void *mbuf;

	for (uint32_t i = 0; i < n->queues.queue_count && n->queues.tx[i] != NULL; i++) {
		if (rte_ring_mc_dequeue(n->queues.tx[i], &mbuf) == 0)
			return mbuf;
	}
	return rte_ring_sc_dequeue(n->rings[n->worker_count].tx, &mbuf) == 0 ? mbuf : NULL;
}

bool node_inject(struct node *n, uint32_t worker, const uint8_t *frame, uint32_t frame_size)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(n->pool);
	char *at;

	if (mbuf == NULL)
		return false;
	at = rte_pktmbuf_append(mbuf, (uint16_t)frame_size);
	DP_ASSERT(at != NULL);
	memcpy(at, frame, frame_size);
	if (rte_ring_mp_enqueue(wire_in(n, worker), mbuf) == 0)
		return true;
	rte_pktmbuf_free(mbuf);
	return false;
}

static uint16_t be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

void node_read(const struct node *n, struct node_datagram *d)
{
	const uint8_t *f = d->frame, *ip = f + 14, *udp;
	uint32_t ip_size;

	DP_ASSERT(memcmp(f + 6, n->host.mac, 6) == 0);
	memcpy(d->target_mac, f, 6);
	if (be16_at(f + 12) == 0x0800) {
		DP_ASSERT(ip[0] == 0x45 && packet_sum(ip, 20, 0) % 0xffff == 0);
		ip_size = be16_at(ip + 2);
		DP_ASSERT(ip_size == d->frame_size - 14 && ip[9] == 17);
		d->source.family = d->target.family = 4;
		memcpy(d->source.ip, ip + 12, 4);
		memcpy(d->target.ip, ip + 16, 4);
		udp = ip + 20;
		DP_ASSERT(be16_at(udp + 6) ==
			  0); // legal over IPv4: what it carries authenticates itself
	} else {
		DP_ASSERT(be16_at(f + 12) == 0x86dd && ip[0] >> 4 == 6 && ip[6] == 17);
		ip_size = 40u + be16_at(ip + 4);
		DP_ASSERT(ip_size == d->frame_size - 14);
		d->source.family = d->target.family = 6;
		memcpy(d->source.ip, ip + 8, 16);
		memcpy(d->target.ip, ip + 24, 16);
		udp = ip + 40;
		DP_ASSERT(be16_at(udp + 6) != 0);
		DP_ASSERT(packet_sum(udp, ip_size - 40, packet_pseudo_sum(ip, 17, ip_size - 40)) %
				  0xffff ==
			  0);
	}
	d->source.port = be16_at(udp);
	d->target.port = be16_at(udp + 2);
	d->payload = udp + 8;
	d->payload_size = be16_at(udp + 4) - 8u;
	DP_ASSERT(d->payload + d->payload_size == f + d->frame_size);
}

bool node_take(struct node *n, struct node_datagram *out)
{
	struct rte_mbuf *mbuf = wire_out(n);

	if (mbuf == NULL)
		return false;
	memset(out, 0, sizeof(*out));
	out->frame_size = rte_pktmbuf_data_len(mbuf);
	DP_ASSERT(mbuf->nb_segs == 1 && out->frame_size <= DP_FRAME_SIZE_MAX);
	memcpy(out->frame, rte_pktmbuf_mtod(mbuf, const void *), out->frame_size);
	rte_pktmbuf_free(mbuf);
	n->taken++;
	node_read(n, out);
	return true;
}

unsigned node_drain(struct node *n)
{
	unsigned count = 0;
	struct rte_mbuf *mbuf;

	while ((mbuf = wire_out(n)) != NULL) {
		rte_pktmbuf_free(mbuf);
		count++;
	}
	return count;
}

uint64_t node_verdict(const struct node *n, enum dp_verdict verdict)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n->worker_count; i++)
		sum += dp_shm_worker(n->shm, i)->verdicts[verdict];
	return sum;
}

uint64_t node_counter(const struct node *n, enum dp_counter counter)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n->worker_count; i++)
		sum += dp_shm_worker(n->shm, i)->counters[counter];
	return sum;
}

int node_command(struct node *n, uint32_t worker, unsigned type, union dp_msg *cmd)
{
	struct dp_ack ack;

	cmd->header.type = (uint16_t)type;
	cmd->header.size = dp_msg_size(type);
	cmd->header.worker = (uint16_t)worker;
	cmd->header.seq = ++n->next_seq;
	DP_ASSERT(rte_ring_sp_enqueue_elem(n->rings[worker].command, cmd, sizeof(*cmd)) == 0);
	node_turn(n);
	DP_ASSERT(rte_ring_sc_dequeue_elem(n->rings[worker].event, &ack, sizeof(ack)) == 0);
	DP_ASSERT(ack.header.seq == cmd->header.seq && ack.header.type == DP_MSG_ACK);
	DP_ASSERT(ack.header.worker == worker);
	return ack.error;
}

int node_guild(struct node *n, uint32_t worker, struct dp_handle guild)
{
	union dp_msg cmd = {.dp_guild_open = {.guild = guild, .guild_id = 1000 + guild.index}};

	return node_command(n, worker, DP_MSG_GUILD_OPEN, &cmd);
}

int node_room(struct node *n, uint32_t worker, struct dp_handle guild, struct dp_handle room)
{
	return node_room_part(n, worker, guild, room, 7, 0);
}

int node_room_part(struct node *n, uint32_t worker, struct dp_handle guild, struct dp_handle room,
	uint64_t channel_id, uint64_t peers)
{
	union dp_msg cmd = {.dp_room_open = {
				    .guild = guild,
				    .room = room,
				    .channel_id = channel_id,
				    .peers = peers,
			    }};

	return node_command(n, worker, DP_MSG_ROOM_OPEN, &cmd);
}

int node_room_set(struct node *n, uint32_t worker, struct dp_handle room, uint64_t peers)
{
	union dp_msg cmd = {.dp_room_set = {.room = room, .peers = peers}};

	return node_command(n, worker, DP_MSG_ROOM_SET, &cmd);
}
