// SPDX-License-Identifier: BSD-3-Clause
//
// See shm.h.

#include "host/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/dp_assert.h"

static bool is_same(const struct dp_shm *shm, const struct dp_shm *want, uint64_t file_size)
{
	return __atomic_load_n(&shm->magic, __ATOMIC_ACQUIRE) == DP_SHM_MAGIC &&
	       dp_shm_is_layout(shm) && shm->worker_count == want->worker_count &&
	       shm->guild_count == want->guild_count && shm->session_count == want->session_count &&
	       shm->leg_count == want->leg_count && shm->size == want->size &&
	       file_size == want->size;
}

// No dataplane came as far as to serve anybody: the magic number is written last.
static bool is_unused(const struct dp_shm *found, uint64_t file_size)
{
	return file_size == 0 || (file_size >= sizeof(found->magic) && found->magic == 0);
}

// All zeros, 'size' bytes. Never through size 0: a reader that has it mapped would die of SIGBUS.
static int begin(int fd, uint64_t old_size, uint64_t size)
{
	if (old_size > 0 &&
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)old_size) != 0)
		return -errno;
	return ftruncate(fd, (off_t)size) == 0 ? 0 : -errno;
}

static int refuse(const struct dp_shm *found, const struct dp_shm *want, uint64_t file_size,
	char *why, size_t why_size)
{
	if (found->magic != DP_SHM_MAGIC || file_size < sizeof(*found) ||
		(dp_shm_is_layout(found) && found->size != file_size))
		snprintf(why, why_size,
			"progress memory is damaged: which nonces are used cannot be told; cure: "
			"start voicenode anew as a whole, so that every call gets new keys");
	else if (!dp_shm_is_layout(found))
		snprintf(why, why_size,
			"progress memory is of another build (layout %u, counters %u, verdicts %u; "
			"this one has %u, %u, %u): which nonces are used cannot be told; cure: "
			"start voicenode anew as a whole",
			found->version, found->counter_count, found->verdict_count, want->version,
			want->counter_count, want->verdict_count);
	else
		snprintf(why, why_size,
			"progress memory is for %u workers with %u guilds, %u sessions, %u legs, "
			"asked for are %u with %u, %u, %u: running calls would use nonces twice; "
			"cure: start voicenode anew as a whole after a change of limits",
			found->worker_count, found->guild_count, found->session_count,
			found->leg_count, want->worker_count, want->guild_count,
			want->session_count, want->leg_count);
	return -ESTALE;
}

// Decides what becomes of the file, and makes it 'want->size' bytes long.
static int prepare(int fd, const struct dp_shm *want, bool *kept, char *why, size_t why_size)
{
	struct dp_shm found = {0};
	struct stat file;
	uint64_t file_size;
	int err;

	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) {
		snprintf(why, why_size,
			"progress memory (fd %d) is not there: start this program by voicenode run",
			fd);
		return -EBADF;
	}
	file_size = (uint64_t)file.st_size;
	if (pread(fd, &found, sizeof(found), 0) < 0)
		err = -errno;
	else if (is_unused(&found, file_size))
		err = begin(fd, file_size, want->size);
	else if ((*kept = is_same(&found, want, file_size)))
		return 0;
	else
		return refuse(&found, want, file_size, why, why_size);
	if (err != 0)
		snprintf(why, why_size, "progress memory of %llu MB cannot be made: %s",
			(unsigned long long)(want->size >> 20), strerror(-err));
	return err;
}

int shm_map(int fd, const struct shm_geometry *geometry, uint32_t epoch, uint64_t tsc_hz,
	struct dp_shm **out, bool *kept, char *why, size_t why_size)
{
	struct dp_shm want = {
		DP_SHM_LAYOUT,
		.worker_count = geometry->worker_count,
		.guild_count = geometry->guild_count,
		.session_count = geometry->session_count,
		.leg_count = geometry->leg_count,
		.epoch = epoch,
		.tsc_hz = tsc_hz,
	};
	struct dp_shm *shm;
	int err;

	want.size = dp_shm_size(&want);
	*kept = false;
	err = prepare(fd, &want, kept, why, why_size);
	if (err != 0)
		return err;
	shm = mmap(NULL, want.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shm == MAP_FAILED) {
		err = -errno;
		snprintf(why, why_size, "progress memory of %llu MB cannot be mapped: %s",
			(unsigned long long)(want.size >> 20), strerror(-err));
		return err;
	}
	(void)madvise(shm, want.size, MADV_DONTDUMP);
	if (*kept) {
		__atomic_store_n(&shm->tsc_hz, tsc_hz, __ATOMIC_RELAXED);
		__atomic_store_n(&shm->epoch, epoch, __ATOMIC_RELEASE);
	} else {
		*shm = want;
		__atomic_store_n(&shm->magic, DP_SHM_MAGIC, __ATOMIC_RELEASE);
	}
	DP_ASSERT(is_same(shm, &want, want.size));
	*out = shm;
	return 0;
}

void shm_unmap(struct dp_shm *shm)
{
	if (shm != NULL)
		munmap(shm, shm->size);
}
