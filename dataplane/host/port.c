// SPDX-License-Identifier: BSD-3-Clause
//
// See port.h.

#include "host/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>

#include "api/dp_assert.h"
#include "host/device_check.h"
#include "host/eal_log.h"
#include "host/host_log.h"

#define PORT_POOL_CACHE 256
// af_packet cuts longer frames, af_xdp and this pool hold no more.
#define PORT_DATA_SIZE (2048 + RTE_PKTMBUF_HEADROOM)

static int fail(int err, char *why, size_t why_size, const char *what)
{
	char reason[160];

	eal_log_last(reason, sizeof(reason));
	snprintf(why, why_size, "%s: %s%s%s", what, rte_strerror(err < 0 ? -err : err),
		reason[0] != '\0' ? "; DPDK says: " : "", reason);
	return err < 0 ? err : -EIO;
}

// The interface's own queues bound what AF_XDP can have; everything else is asked after the probe.
static unsigned queues_wanted(const struct port_params *params)
{
	unsigned channels = params->steering == STEER_SOFTWARE ? 1 : params->worker_count;

	if (params->device->kind == DEVICE_AFXDP && channels > 1)
		channels = device_queues(params->device->name).served;
	return channels < params->worker_count ? channels : params->worker_count;
}

// What arrives on a queue that nobody serves would go to the kernel, and no further.
static int check_queues(const struct port_params *params, char *why, size_t why_size)
{
	const char *interface = params->device->name;
	unsigned served = queues_wanted(params);

	if (params->device->kind != DEVICE_AFXDP || device_queues(interface).receiving <= served)
		return 0;
	snprintf(why, why_size,
		"%s receives on %u queues, and AF_XDP can serve %u of them with %u workers%s: set "
		"as many (ethtool -L %s %s %u), or use afpacket:%s",
		interface, device_queues(interface).receiving, served, params->worker_count,
		params->steering == STEER_SOFTWARE ? " and network.steering = \"software\"" : "",
		interface, device_queues(interface).served > 1 ? "combined" : "rx", served,
		interface);
	return -EINVAL;
}

static int probe(struct port *port, char *why, size_t why_size)
{
	const struct device_spec *device = port->params.device;
	char name[RTE_ETH_NAME_MAX_LEN], args[DEVICE_ARGS_SIZE], what[DEVICE_NAME_SIZE + 64];
	int err = device_vdev(
		device, queues_wanted(&port->params), name, sizeof(name), args, sizeof(args));

	if (err == 0 && device->kind != DEVICE_PCI)
		err = rte_eal_hotplug_add("vdev", name, args);
	if (err != 0) {
		snprintf(what, sizeof(what), "device %s:%s cannot be opened%s",
			device_kind_text(device->kind), device->name,
			device->kind == DEVICE_TAP ? " (is the tap in use?)" : "");
		return fail(err, why, why_size, what);
	}
	if (rte_eth_dev_get_port_by_name(
		    device->kind == DEVICE_PCI ? device->name : name, &port->id) != 0) {
		snprintf(why, why_size,
			"DPDK found no device %s: is it bound to vfio-pci (dpdk-devbind.py --status"
			" shows it), and is its driver installed (apt install dpdk)?",
			device->name);
		return -ENODEV;
	}
	port->probed = true;
	return 0;
}

// 'hash': RTE_ETH_RSS_*, 0: no spreading by the NIC.
static int configure_queues(uint16_t port_id, uint16_t queues, uint64_t hash)
{
	struct rte_eth_conf conf;

	memset(&conf, 0, sizeof(conf));
	if (hash != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = hash;
	}
	return rte_eth_dev_configure(port_id, queues, queues, &conf);
}

static int configure(struct port *port, char *why, size_t why_size)
{
	struct rte_eth_dev_info info;
	unsigned queues = queues_wanted(&port->params);

	int err = rte_eth_dev_info_get(port->id, &info);
	if (err != 0)
		return fail(err, why, why_size, "device tells nothing about itself");
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	if (queues > info.max_rx_queues)
		queues = info.max_rx_queues;
	if (queues > info.max_tx_queues)
		queues = info.max_tx_queues;
	if (queues == 0)
		return fail(-ENODEV, why, why_size, "device has no queues");
	uint64_t hash = 0;
	if (port->params.device->kind == DEVICE_PCI)
		hash = steer_hash_functions(
			port->params.steering, (uint16_t)queues, info.flow_type_rss_offloads);
	err = configure_queues(port->id, (uint16_t)queues, hash);
	if (err != 0 && hash != 0) {
		host_log(HOST_LOG_WARN, "the NIC does not spread as it says that it can",
			"functions=%llx", (unsigned long long)hash);
		hash = 0;
		err = configure_queues(port->id, (uint16_t)queues, 0);
	}
	if (err != 0)
		return fail(err, why, why_size, "device cannot be configured");
	port->spread = hash != 0                                          ? STEER_SPREAD_NIC
		       : device_kernel_spreads(port->params.device->kind) ? STEER_SPREAD_KERNEL
									  : STEER_SPREAD_NOBODY;
	port->table_size = hash != 0 ? info.reta_size : 0;
	port->queue_count = (uint16_t)queues;
	port->rx_size = DEVICE_DESCRIPTORS;
	port->tx_size = DEVICE_DESCRIPTORS;
	err = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rx_size, &port->tx_size);
	return err == 0 ? 0 : fail(err, why, why_size, "device takes no descriptor count");
}

// rte_pktmbuf_pool_create(), but for one thing: where no hardware reads the memory, buffers may
// cross pages. Small pages then hold them without gaps, which halves what a restart has to touch.
static struct rte_mempool *pool_create(
	const char *name, uint32_t count, int socket, bool hardware_reads)
{
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = PORT_DATA_SIZE};
	struct rte_mempool *pool = rte_mempool_create_empty(name, count,
		sizeof(struct rte_mbuf) + PORT_DATA_SIZE, PORT_POOL_CACHE, sizeof(private), socket,
		hardware_reads ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (pool == NULL)
		return NULL;
	int err = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
	if (err == 0) {
		rte_pktmbuf_pool_init(pool, &private);
		err = rte_mempool_populate_default(pool);
	}
	if (err < 0) {
		rte_mempool_free(pool);
		rte_errno = -err;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

static int pools_create(struct port *port, char *why, size_t why_size)
{
	bool hardware_reads = port->params.device->kind == DEVICE_PCI;
	int port_socket = rte_eth_dev_socket_id(port->id);
	char name[32];

	for (unsigned i = 0; i < port->params.worker_count; i++) {
		snprintf(name, sizeof(name), "packets_%u", i);
		port->pools[i] = pool_create(name, port->params.mbufs,
			port_socket >= 0 ? port_socket : port->params.sockets[i], hardware_reads);
		if (port->pools[i] != NULL)
			continue;
		snprintf(why, why_size,
			"%u packet buffers for each of %u workers do not fit in the memory that"
			" DPDK has (%s): lower memory.mbufs, or give more memory",
			port->params.mbufs, port->params.worker_count, rte_strerror(rte_errno));
		return -ENOBUFS;
	}
	return 0;
}

// The driver hides the kernel's answer. libxdp complains of everything but a busy queue.
static int fail_xdp(const struct device_spec *device, uint16_t queue, char *why, size_t why_size)
{
	char reason[160];

	eal_log_last_bpf(reason, sizeof(reason));
	if (reason[0] != '\0') {
		snprintf(why, why_size, "queue %u of %s gives no AF_XDP socket: %s", queue,
			device->name, reason);
		return -EACCES;
	}
	snprintf(why, why_size,
		"queue %u of %s gives no AF_XDP socket: another process holds it (a second node?);"
		" ss --xdp shows which",
		queue, device->name);
	return -EBUSY;
}

static int queues_setup(struct port *port, char *why, size_t why_size)
{
	const struct device_spec *device = port->params.device;
	char what[DEVICE_NAME_SIZE + 64];

	for (uint16_t queue = 0; queue < port->queue_count; queue++) {
		unsigned socket = (unsigned)port->params.sockets[queue];
		int err = rte_eth_rx_queue_setup(
			port->id, queue, port->rx_size, socket, NULL, port->pools[queue]);

		if (err != 0 && device->kind == DEVICE_AFXDP)
			return fail_xdp(device, queue, why, why_size);
		if (err == 0)
			err = rte_eth_tx_queue_setup(port->id, queue, port->tx_size, socket, NULL);
		if (err != 0) {
			snprintf(what, sizeof(what), "queue %u of device %s:%s cannot be set up",
				queue, device_kind_text(device->kind), device->name);
			return fail(err, why, why_size, what);
		}
	}
	return 0;
}

static int host_fill(struct port *port, char *why, size_t why_size)
{
	const struct port_params *params = &port->params;
	struct udp_frame_host *host = &port->host;
	struct rte_ether_addr mac;

	memset(host, 0, sizeof(*host));
	memcpy(host->addresses, params->addresses,
		params->address_count * sizeof(host->addresses[0]));
	host->address_count = params->address_count;
	host->first_port = params->first_port;
	host->port_count = params->worker_count;
	host->partial_checksums = device_partial_checksums(params->device->kind);
	if (params->device->kind == DEVICE_TAP) {
		device_own_mac(params->addresses[0].ip, host->mac);
		return 0;
	}
	int err = rte_eth_macaddr_get(port->id, &mac);
	if (err != 0)
		return fail(err, why, why_size, "device has no MAC");
	memcpy(host->mac, mac.addr_bytes, sizeof(host->mac));
	return 0;
}

static int start(struct port *port, char *why, size_t why_size)
{
	int err = rte_eth_dev_start(port->id);

	if (err != 0)
		return fail(err, why, why_size, "device cannot be started");
	port->started = true;
	// IPv6 neighbours ask by multicast; a device that shares the kernel's leaves it to the
	// kernel, one that cannot do it passes everything anyway.
	if (port->params.device->kind == DEVICE_PCI)
		(void)rte_eth_allmulticast_enable(port->id);
	return host_fill(port, why, why_size);
}

static int steer(struct port *port, char *why, size_t why_size)
{
	static const char *const modes[] = {
		[STEER_AUTO] = "auto",
		[STEER_FLOW] = "flow",
		[STEER_RSS] = "rss",
		[STEER_SOFTWARE] = "software",
	};
	bool is_nic = port->params.device->kind == DEVICE_PCI;
	struct steer_params params = {
		.port_id = port->id,
		.queue_count = port->queue_count,
		.worker_count = port->params.worker_count,
		.first_port = port->params.first_port,
		.table_size = port->table_size,
		.mode = port->params.steering,
		.spread = port->spread,
		.takes_rules = is_nic,
		.ops = &steer_ops_dpdk,
	};
	struct host_log_text quoted;
	char reason[320];

	if (steer_apply(&params, &port->steering, reason, sizeof(reason)) != 0) {
		snprintf(why, why_size, "network.steering = \"%s\", but %s: use \"auto\"",
			modes[params.mode], reason);
		return -ENOTSUP;
	}
	if (is_nic && reason[0] != '\0')
		host_log(HOST_LOG_INFO, "no better steering", "steering=%s reason=%s",
			steer_rung_name(port->steering), host_log_quote(&quoted, reason));
	if (is_nic && port->steering != STEER_RUNG_SOFTWARE)
		host_log(HOST_LOG_WARN, "steering by a NIC was not run on hardware yet",
			"steering=%s", steer_rung_name(port->steering));
	return 0;
}

static void report(const struct port *port)
{
	const uint8_t *mac = port->host.mac;
	struct host_log_text quoted;
	struct rte_eth_link link;
	bool up = rte_eth_link_get_nowait(port->id, &link) == 0 &&
		  link.link_status == RTE_ETH_LINK_UP;

	host_log(HOST_LOG_INFO, "device started",
		"driver=%s name=%s queues=%u workers=%u steering=%s link=%s"
		" mac=%02x:%02x:%02x:%02x:%02x:%02x",
		port->driver, host_log_quote(&quoted, port->params.device->name), port->queue_count,
		port->params.worker_count, steer_rung_name(port->steering), up ? "up" : "down",
		mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

int port_create(struct port *port, const struct port_params *params, char *why, size_t why_size)
{
	DP_ASSERT(params->worker_count > 0 && params->worker_count <= DP_WORKERS_MAX);
	DP_ASSERT(params->address_count <= DP_ADDRESSES_MAX);
	memset(port, 0, sizeof(*port));
	port->params = *params;

	int err = check_queues(params, why, why_size);
	if (err == 0)
		err = probe(port, why, why_size);
	if (err == 0)
		err = configure(port, why, why_size);
	if (err == 0)
		err = pools_create(port, why, why_size);
	if (err == 0)
		err = queues_setup(port, why, why_size);
	if (err == 0)
		err = start(port, why, why_size);
	if (err == 0)
		err = steer(port, why, why_size);
	if (err == 0)
		report(port);
	return err;
}

void port_stop(struct port *port)
{
	if (port->started)
		(void)rte_eth_dev_stop(port->id);
	port->started = false;
}

void port_destroy(struct port *port)
{
	DP_ASSERT(!port->started);
	DP_ASSERT(port->params.device->kind != DEVICE_AFXDP);
	if (port->probed)
		(void)rte_eth_dev_close(port->id);
	port->probed = false;
	for (unsigned i = 0; i < port->params.worker_count; i++) {
		rte_mempool_free(port->pools[i]);
		port->pools[i] = NULL;
	}
}

void port_queues(const struct port *port, uint16_t worker, struct worker_params *out)
{
	bool has_queue = worker < port->queue_count;

	out->rx_queue = has_queue ? worker : WORKER_NO_QUEUE;
	out->tx_queue = has_queue ? worker : WORKER_NO_QUEUE;
	out->tx_owner = worker % port->queue_count;
}
