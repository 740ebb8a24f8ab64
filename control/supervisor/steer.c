// SPDX-License-Identifier: BSD-3-Clause
//
// See steer.h. The object is part of this binary (steer_object.h, made by the build). The
// attachment is a plain one, not a bpf_link: it survives this process, which is why a start looks
// for leftovers.
#include "supervisor/steer.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "steer_object.h"

#define STEER_PROGRAM "xsk_def_prog" // libxdp's name for its own; see steer.bpf.c
#define STEER_MAPS_MAX 16

struct steer_ports { // struct vn_ports of steer.bpf.c
	uint16_t first, last;
};

static int keep_quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	// What matters comes back as an error; the rest is noise about sections libbpf skips.
	(void)level, (void)format, (void)ap;
	return 0;
}

// The program attached to the interface and how, 0 if none.
static int query(unsigned ifindex, uint32_t *program_id, uint32_t *flags)
{
	struct bpf_xdp_query_opts opts = {.sz = sizeof(opts)};
	int err = bpf_xdp_query((int)ifindex, 0, &opts);

	if (err < 0)
		return err;
	*flags = opts.drv_prog_id != 0 ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	*program_id = opts.drv_prog_id != 0 ? opts.drv_prog_id : opts.skb_prog_id;
	if (*program_id == 0)
		*program_id = opts.hw_prog_id;
	return 0;
}

static bool map_is_named(uint32_t map_id, const char *name)
{
	struct bpf_map_info info = {0};
	uint32_t info_size = sizeof(info);
	int fd = bpf_map_get_fd_by_id(map_id);

	if (fd < 0)
		return false;
	int err = bpf_obj_get_info_by_fd(fd, &info, &info_size);
	close(fd);
	return err == 0 && strcmp(info.name, name) == 0;
}

// By its name and by a map that only ours has.
static bool program_is_ours(uint32_t program_id)
{
	uint32_t maps[STEER_MAPS_MAX] = {0};
	struct bpf_prog_info info = {
		.map_ids = (uint64_t)(uintptr_t)maps,
		.nr_map_ids = STEER_MAPS_MAX,
	};
	uint32_t info_size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(program_id);

	if (fd < 0)
		return false;
	int err = bpf_obj_get_info_by_fd(fd, &info, &info_size);
	close(fd);
	if (err != 0 || strcmp(info.name, STEER_PROGRAM) != 0)
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < STEER_MAPS_MAX; i++) {
		if (map_is_named(maps[i], "vn_addresses"))
			return true;
	}
	return false;
}

enum steer_found steer_probe(unsigned ifindex)
{
	uint32_t program_id = 0, flags = 0;

	libbpf_set_print(keep_quiet);
	if (query(ifindex, &program_id, &flags) < 0)
		return STEER_FOUND_FOREIGN;
	if (program_id == 0)
		return STEER_FOUND_NONE;
	return program_is_ours(program_id) ? STEER_FOUND_OURS : STEER_FOUND_FOREIGN;
}

static int fill_maps(const struct steer *steer, const struct node_plan *plan)
{
	struct bpf_map *ports_map = bpf_object__find_map_by_name(steer->object, "vn_ports");
	struct bpf_map *addresses_map = bpf_object__find_map_by_name(steer->object, "vn_addresses");
	struct steer_ports ports = {plan->port_first, plan->port_last};
	uint32_t zero = 0;
	uint8_t yes = 1;

	if (ports_map == NULL || addresses_map == NULL)
		return -ENOENT;
	int err = bpf_map__update_elem(
		ports_map, &zero, sizeof(zero), &ports, sizeof(ports), BPF_ANY);
	for (unsigned i = 0; err == 0 && i < plan->address_count; i++) {
		err = bpf_map__update_elem(addresses_map, plan->addresses[i].bytes,
			sizeof(plan->addresses[i].bytes), &yes, sizeof(yes), BPF_ANY);
	}
	return err;
}

static int load(struct steer *steer, const struct node_plan *plan)
{
	struct bpf_object_open_opts opts = {.sz = sizeof(opts), .object_name = "voicenode"};
	struct bpf_prog_info info = {0};
	uint32_t info_size = sizeof(info);

	libbpf_set_print(keep_quiet);
	steer->object = bpf_object__open_mem(steer_object, sizeof(steer_object), &opts);
	if (steer->object == NULL)
		return -errno;
	int err = bpf_object__load(steer->object);
	if (err < 0)
		return err;
	struct bpf_program *program =
		bpf_object__find_program_by_name(steer->object, STEER_PROGRAM);
	if (program == NULL)
		return -ENOENT;
	steer->program_fd = bpf_program__fd(program);
	err = bpf_obj_get_info_by_fd(steer->program_fd, &info, &info_size);
	if (err < 0)
		return err;
	steer->program_id = info.id;
	return fill_maps(steer, plan);
}

static void unload(struct steer *steer)
{
	bpf_object__close(steer->object);
	steer->object = NULL;
}

int steer_load(struct steer *steer, const struct node_plan *plan)
{
	*steer = (struct steer){.ifindex = plan->ifindex, .program_fd = -1};
	int err = load(steer, plan);

	if (err < 0)
		unload(steer);
	return err;
}

// Native, and where the driver cannot, generic.
static int attach(struct steer *steer)
{
	int err = bpf_xdp_attach((int)steer->ifindex, steer->program_fd,
		XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);

	steer->flags = XDP_FLAGS_DRV_MODE;
	if (err == -EOPNOTSUPP || err == -EINVAL) {
		steer->flags = XDP_FLAGS_SKB_MODE;
		err = bpf_xdp_attach((int)steer->ifindex, steer->program_fd,
			XDP_FLAGS_SKB_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	}
	return err == -EBUSY ? -EEXIST : err;
}

int steer_clear(unsigned ifindex)
{
	uint32_t program_id = 0, flags = 0;
	int err = query(ifindex, &program_id, &flags);

	if (err < 0 || program_id == 0)
		return err;
	if (!program_is_ours(program_id))
		return -EEXIST;
	return bpf_xdp_detach((int)ifindex, flags, NULL);
}

int steer_attach(struct steer *steer, const struct node_plan *plan)
{
	int err = steer_load(steer, plan);

	if (err < 0)
		return err;
	err = steer_clear(plan->ifindex);
	if (err == 0)
		err = attach(steer);
	if (err < 0)
		unload(steer);
	return err;
}

bool steer_is_generic(const struct steer *steer)
{
	return steer->flags == XDP_FLAGS_SKB_MODE;
}

int steer_keep(struct steer *steer, bool *repaired)
{
	uint32_t program_id = 0, flags = 0;

	*repaired = false;
	int err = query(steer->ifindex, &program_id, &flags);
	if (err < 0 || program_id == steer->program_id)
		return err;
	err = steer_clear(steer->ifindex);
	if (err == 0)
		err = attach(steer);
	*repaired = err == 0;
	return err;
}

void steer_detach(struct steer *steer)
{
	uint32_t program_id = 0, flags = 0;

	if (steer->object == NULL)
		return;
	if (query(steer->ifindex, &program_id, &flags) == 0 && program_id == steer->program_id)
		(void)bpf_xdp_detach((int)steer->ifindex, flags, NULL);
	unload(steer);
}
