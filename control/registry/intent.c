// SPDX-License-Identifier: BSD-3-Clause
//
// Maps the intent memfd and computes where its arrays are.

#include "registry/intent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"

#define PAGE_SIZE_ALIGN 4096u

struct intent {
	uint8_t *base;
	uint64_t size;
	uint64_t pending_at, workers_at; // offsets
	uint64_t rooms_at, sessions_at;  // in a worker's stride
	uint64_t stride;
};

static uint64_t pages(uint64_t size)
{
	return (size + PAGE_SIZE_ALIGN - 1) / PAGE_SIZE_ALIGN * PAGE_SIZE_ALIGN;
}

static void lay_out(struct intent *intent, const struct intent_params *params)
{
	intent->pending_at = pages(sizeof(struct intent_header));
	intent->workers_at =
		intent->pending_at + pages(INTENT_PENDING_MAX * sizeof(struct intent_pending));
	intent->rooms_at = pages((uint64_t)params->guild_count * sizeof(struct intent_guild));
	intent->sessions_at =
		intent->rooms_at + pages((uint64_t)params->room_count * sizeof(struct intent_room));
	intent->stride = intent->sessions_at +
			 pages((uint64_t)params->session_count * sizeof(struct intent_session));
	intent->size = intent->workers_at + params->worker_count * intent->stride;
}

static bool used_counts_are_sound(const struct intent_header *header)
{
	for (uint32_t worker = 0; worker < header->params.worker_count; worker++)
		if (header->guilds_used[worker] > header->params.guild_count ||
			header->rooms_used[worker] > header->params.room_count ||
			header->sessions_used[worker] > header->params.session_count)
			return false;
	return true;
}

static bool shape_is_sound(const struct intent_header *header)
{
	const struct intent_params *p = &header->params;

	return header->magic == INTENT_MAGIC && header->version == INTENT_VERSION &&
	       header->pending_count == INTENT_PENDING_MAX && p->worker_count > 0 &&
	       p->worker_count <= DP_WORKERS_MAX && p->guild_count <= DP_GUILDS_MAX &&
	       p->room_count <= DP_ROOMS_MAX && p->session_count <= DP_SESSIONS_MAX &&
	       used_counts_are_sound(header);
}

// What a predecessor left in 'fd', of 'size' bytes. 0 or -EUCLEAN.
static int read_shape(int fd, uint64_t size, struct intent *intent)
{
	struct intent_header header;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
		!shape_is_sound(&header))
		return -EUCLEAN;
	lay_out(intent, &header.params);
	return size == intent->size ? 0 : -EUCLEAN;
}

// The file's size, when it is one that we made.
static int file_size(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

// Keys stay out of swap. Pages are locked as they come into use, so slots never used still cost
// nothing. It takes a limit (RLIMIT_MEMLOCK) or a right (CAP_IPC_LOCK) that not everybody has:
// without it the node serves all the same.
static void lock_pages(const struct intent *intent)
{
	static bool is_said;

	if (mlock2(intent->base, intent->size, MLOCK_ONFAULT) == 0 || is_said)
		return;
	is_said = true;
	log_warn("session keys may be swapped to disk: memory cannot be locked; cure: "
		 "LimitMEMLOCK=infinity or CAP_IPC_LOCK, or no swap size_mib=%llu error=%s",
		(unsigned long long)(intent->size >> 20), strerror(errno));
}

static int map(struct intent *intent, int fd)
{
	intent->base = mmap(NULL, intent->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (intent->base == MAP_FAILED) {
		intent->base = NULL;
		return -errno;
	}
	// Keys: out of core files, and not inherited by a helper that forks.
	if (madvise(intent->base, intent->size, MADV_DONTDUMP) != 0 ||
		madvise(intent->base, intent->size, MADV_DONTFORK) != 0)
		return -errno;
	lock_pages(intent);
	return 0;
}

static void begin_afresh(struct intent *intent, const struct intent_params *params)
{
	struct intent_header *header = intent_header(intent);

	header->version = INTENT_VERSION;
	header->pending_count = INTENT_PENDING_MAX;
	header->params = *params;
	__atomic_store_n(&header->magic, INTENT_MAGIC, __ATOMIC_SEQ_CST);
}

int intent_open(int fd, const struct intent_params *params, struct intent **out, bool *is_fresh)
{
	struct intent *intent = calloc(1, sizeof(*intent));
	uint64_t size = 0;
	int error;

	if (intent == NULL)
		return -ENOMEM;
	error = file_size(fd, &size);
	if (error == 0 && size > 0)
		error = read_shape(fd, size, intent);
	if (error != 0)
		goto fail;
	*is_fresh = size == 0;
	if (*is_fresh) {
		lay_out(intent, params);
		if (ftruncate(fd, (off_t)intent->size) != 0) {
			error = -errno;
			goto fail;
		}
	}
	error = map(intent, fd);
	if (error != 0)
		goto fail;
	if (*is_fresh)
		begin_afresh(intent, params);
	*out = intent;
	return 0;

fail:
	intent_close(intent);
	return error;
}

void intent_close(struct intent *intent)
{
	if (intent == NULL)
		return;
	if (intent->base != NULL)
		munmap(intent->base, intent->size);
	free(intent);
}

struct intent_header *intent_header(struct intent *intent)
{
	return (struct intent_header *)(void *)intent->base;
}

static uint8_t *worker_base(struct intent *intent, uint32_t worker)
{
	return intent->base + intent->workers_at + worker * intent->stride;
}

struct intent_guild *intent_guild(struct intent *intent, uint32_t worker, uint32_t index)
{
	return (struct intent_guild *)(void *)worker_base(intent, worker) + index;
}

struct intent_room *intent_room(struct intent *intent, uint32_t worker, uint32_t index)
{
	return (struct intent_room *)(void *)(worker_base(intent, worker) + intent->rooms_at) +
	       index;
}

struct intent_session *intent_session(struct intent *intent, uint32_t worker, uint32_t index)
{
	return (struct intent_session *)(void *)(worker_base(intent, worker) +
						 intent->sessions_at) +
	       index;
}

struct intent_pending *intent_pending(struct intent *intent, uint32_t index)
{
	return (struct intent_pending *)(void *)(intent->base + intent->pending_at) + index;
}
