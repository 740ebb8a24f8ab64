// SPDX-License-Identifier: BSD-3-Clause
//
// See engine_node.h.
#include "engine_node.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_random.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "api/dp_msg.h"
#include "api/dp_shm.h"

#define DESCRIPTORS 1024
#define POOL_SIZE 16383 // copies of a wave, and the packets that wait in the ring
#define POOL_CACHE 256  // as host/port.c
#define HUGE_PAGE_SIZE ((size_t)2 << 20)
#define HUGE_PAGES_NEEDED 32ul // of 2 MiB, by a worker's pool and rings
#define LEGS_SPARE 2u
#define SEED 20180501u // of the tables' hashes: the same run takes the same steps

const uint8_t engine_node_mac[6] = {0x02, 0, 0, 0, 0, 1};

struct dp_addr engine_node_address(unsigned worker)
{
	return (struct dp_addr){.ip = {192, 0, 2, 1},
		.port = (uint16_t)(ENGINE_NODE_FIRST_PORT + worker),
		.family = 4};
}

// Enough of them for the pools; without, EAL is told to do without.
static bool hugepages_free(unsigned worker_count)
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
	return free_pages >= HUGE_PAGES_NEEDED * worker_count;
}

// The CPU of the caller, then the next ones that it may run on.
static int choose_cpus(struct engine_node *n)
{
	cpu_set_t allowed;
	int first = sched_getcpu();
	unsigned count = 1;

	if (first < 0 || sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
		return -errno;
	}
	n->cpus[0] = (unsigned)first;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && count < n->worker_count; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && cpu != n->cpus[0]) {
			n->cpus[count++] = cpu;
		}
	}
	if (count < n->worker_count) {
		fprintf(stderr,
			"engine_bench: %u workers need as many CPUs, this process may run on %u;"
			" use --workers %u\n",
			n->worker_count, count, count);
		return -EINVAL;
	}
	return 0;
}

static int start_eal(struct engine_node *n, bool small_pages)
{
	char lcores[64], memory[16],
		*args[16] = {"engine_bench", lcores, "--no-pci", "--no-telemetry",
			"--log-level=*:warning"};
	int count = 5, used = snprintf(lcores, sizeof(lcores), "--lcores=0@%u", n->cpus[0]);

	args[count++] = "--vdev=net_null0";
	if (n->worker_count > 1) {
		snprintf(lcores + used, sizeof(lcores) - (size_t)used, ",1@%u", n->cpus[1]);
		args[count++] = "--vdev=net_null1";
	}
	n->hugepages = !small_pages && hugepages_free(n->worker_count);
	if (n->hugepages) {
		args[count++] = "--in-memory";
	} else {
		snprintf(memory, sizeof(memory), "-m%u", 128 * n->worker_count);
		args[count++] = "--no-huge";
		args[count++] = "--no-shconf";
		args[count++] = memory;
	}
	count = rte_eal_init(count, args);
	rte_srand(SEED);
	return count < 0 ? -EINVAL : 0;
}

static int start_port(struct engine_node *n, unsigned worker)
{
	struct rte_eth_conf conf = {0};
	char name[32];
	uint16_t port_id;
	int err;

	snprintf(name, sizeof(name), "net_null%u", worker);
	err = rte_eth_dev_get_port_by_name(name, &port_id);
	n->pools[worker] = rte_pktmbuf_pool_create(
		name, POOL_SIZE, POOL_CACHE, 0, 2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (err != 0 || n->pools[worker] == NULL) {
		return err != 0 ? err : -ENOMEM;
	}
	n->port_ids[worker] = port_id;
	err = rte_eth_dev_configure(port_id, 1, 1, &conf);
	if (err == 0) {
		err = rte_eth_rx_queue_setup(
			port_id, 0, DESCRIPTORS, (unsigned)SOCKET_ID_ANY, NULL, n->pools[worker]);
	}
	if (err == 0) {
		err = rte_eth_tx_queue_setup(
			port_id, 0, DESCRIPTORS, (unsigned)SOCKET_ID_ANY, NULL);
	}
	return err == 0 ? rte_eth_dev_start(port_id) : err;
}

static struct rte_ring *make_ring(
	const char *what, unsigned worker, size_t element, unsigned count, unsigned flags)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%u", what, worker);
	return rte_ring_create_elem(name, (unsigned)element, count, SOCKET_ID_ANY, flags);
}

static int make_rings(struct worker_rings *r, unsigned worker)
{
	unsigned both = RING_F_SP_ENQ | RING_F_SC_DEQ;

	r->command =
		make_ring("command", worker, sizeof(union dp_msg), WORKER_COMMAND_RING_SIZE, both);
	r->event = make_ring("event", worker, sizeof(struct dp_ack), WORKER_EVENT_RING_SIZE, both);
	r->rx = make_ring("rx", worker, sizeof(void *), DP_HANDOFF_MAX, RING_F_SC_DEQ);
	r->tx = make_ring("tx", worker, sizeof(void *), DP_HANDOFF_MAX, RING_F_SC_DEQ);
	r->cross = make_ring("cross", worker, sizeof(void *), DP_CROSS_MAX, RING_F_SC_DEQ);
	return r->command != NULL && r->event != NULL && r->rx != NULL && r->tx != NULL &&
			       r->cross != NULL
		       ? 0
		       : -ENOMEM;
}

static int make_shm(struct engine_node *n)
{
	uint32_t copies = n->shape.members - (n->shape.spread == 0);
	struct dp_shm shm = {.magic = DP_SHM_MAGIC,
		DP_SHM_LAYOUT,
		.worker_count = n->worker_count,
		.guild_count = n->shape.rooms,
		.session_count = field_sessions(&n->shape),
		.leg_count = n->shape.rooms * n->shape.talkers * copies + LEGS_SPARE};

	shm.size = dp_shm_size(&shm);
	n->shm = aligned_alloc(
		HUGE_PAGE_SIZE, (shm.size + HUGE_PAGE_SIZE - 1) / HUGE_PAGE_SIZE * HUGE_PAGE_SIZE);
	if (n->shm == NULL) {
		return -ENOMEM;
	}
	(void)madvise(n->shm, shm.size, MADV_HUGEPAGE); // a wish: less of it is only slower
	memset(n->shm, 0, shm.size);
	*n->shm = shm;
	n->host = (struct udp_frame_host){.addresses = {engine_node_address(0)},
		.address_count = 1,
		.first_port = ENGINE_NODE_FIRST_PORT,
		.port_count = (uint16_t)n->worker_count};
	memcpy(n->host.mac, engine_node_mac, sizeof(engine_node_mac));
	return 0;
}

static int make_worker(struct engine_node *n, unsigned worker)
{
	struct worker_params params = {.index = (uint16_t)worker,
		.worker_count = (uint16_t)n->worker_count,
		.port_id = n->port_ids[worker],
		.rx_queue = WORKER_NO_QUEUE, // everything comes by the ring
		.tx_owner = (uint16_t)worker,
		.numa_socket = -1,
		.crypto = n->shape.engine,
		.idle = WORKER_IDLE_POLL,
		.host = &n->host,
		.pool = n->pools[worker],
		.remote_count = n->worker_count > 1 ? DP_REMOTE_STREAMS_MAX : 0,
		.shm = n->shm,
		.rings = n->rings,
		.stop = &n->stop};
	struct worker *w = worker_create(&params);

	if (w == NULL) {
		return -ENOMEM;
	}
	n->workers[worker] = w;
	// The bench asks how many packets a core carries, not how many one speaker may bring.
	w->rates[STREAM_AUDIO] = (struct stream_rate){.burst_tsc = UINT64_MAX};
	return 0;
}

int engine_node_init(struct engine_node *n, const struct field_shape *shape, unsigned worker_count,
	bool small_pages)
{
	const char *what = "EAL";
	int err;

	*n = (struct engine_node){.shape = *shape, .worker_count = worker_count};
	err = choose_cpus(n);
	if (err != 0) {
		return err;
	}
	err = start_eal(n, small_pages);
	n->started = err == 0;
	for (unsigned i = 0; i < worker_count && err == 0; i++) {
		what = "port";
		err = start_port(n, i);
		if (err == 0) {
			what = "rings";
			err = make_rings(&n->rings[i], i);
		}
	}
	if (err == 0) {
		what = "memory";
		err = make_shm(n);
	}
	for (unsigned i = 0; i < worker_count && err == 0; i++) {
		what = "worker";
		err = make_worker(n, i);
	}
	if (err != 0) {
		fprintf(stderr, "engine_bench: %s: %s\n", what, strerror(-err));
	}
	return err;
}

void engine_node_fini(struct engine_node *n)
{
	for (unsigned i = 0; i < n->worker_count; i++) {
		worker_destroy(n->workers[i]);
	}
	if (n->started) {
		for (unsigned i = 0; i < n->worker_count; i++) {
			(void)rte_eth_dev_stop(n->port_ids[i]);
		}
		rte_eal_cleanup();
	}
	free(n->shm);
}
