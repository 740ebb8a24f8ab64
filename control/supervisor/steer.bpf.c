// SPDX-License-Identifier: BSD-3-Clause
//
// The steering program of AF_XDP: media (UDP to our addresses and ports) goes to the socket of the
// queue it arrived on, everything else to the kernel, so that ssh and the WebSocket live on the
// same interface. Where no socket sits on the queue (a dataplane died) media goes to the kernel as
// well, whose nftables rule (nft.c) drops it.
//
// Names are a contract with libxdp: a program 'xsk_def_prog' with a map 'xsks_map' and this version
// in its BTF is taken for libxdp's own, so that the af_xdp driver of DPDK loads nothing and only
// inserts its socket. steer.c loads it and fills the maps of the same names.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IP_FRAGMENT 0x3fff // more fragments, or an offset

// A variable, not a struct's member: libxdp looks for one of this name and type.
__uint(xsk_prog_version, 1) SEC("xdp_metadata");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__uint(key_size, sizeof(int));
	__uint(value_size, sizeof(int));
} xsks_map SEC(".maps");

struct vn_ports {
	__u16 first, last; // host order, both inclusive
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vn_ports);
} vn_ports SEC(".maps");

struct vn_address {
	__u8 bytes[16]; // IPv4 as ::ffff:a.b.c.d
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct vn_address);
	__type(value, __u8);
} vn_addresses SEC(".maps");

static __always_inline struct udphdr *parse_ipv4(
	void *data, void *end, struct vn_address *destination)
{
	struct iphdr *ip = data;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return 0;
	if (ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_FRAGMENT)) != 0)
		return 0;
	destination->bytes[10] = 0xff;
	destination->bytes[11] = 0xff;
	__builtin_memcpy(&destination->bytes[12], &ip->daddr, 4);
	return data + ip->ihl * 4;
}

static __always_inline struct udphdr *parse_ipv6(
	void *data, void *end, struct vn_address *destination)
{
	struct ipv6hdr *ip = data;

	if ((void *)(ip + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
		return 0;
	__builtin_memcpy(destination->bytes, &ip->daddr, 16);
	return (void *)(ip + 1);
}

SEC("xdp")
int xsk_def_prog(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct vn_address destination = {};
	struct udphdr *udp = 0;
	__u32 zero = 0;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		udp = parse_ipv4(eth + 1, end, &destination);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		udp = parse_ipv6(eth + 1, end, &destination);
	if (udp == 0 || (void *)(udp + 1) > end)
		return XDP_PASS;

	struct vn_ports *ports = bpf_map_lookup_elem(&vn_ports, &zero);
	__u16 port = bpf_ntohs(udp->dest);
	if (ports == 0 || port < ports->first || port > ports->last)
		return XDP_PASS;
	if (bpf_map_lookup_elem(&vn_addresses, &destination) == 0)
		return XDP_PASS;
	return bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}

char vn_license[] SEC("license") = "Dual BSD/GPL";
