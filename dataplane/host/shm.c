// SPDX-License-Identifier: BSD-3-Clause
//
// See shm.h.

#include "host/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/dp_assert.h"

static bool is_same(const struct dp_shm *shm, const struct dp_shm *want, uint64_t file_size)
{
	return __atomic_load_n(&shm->magic, __ATOMIC_ACQUIRE) == DP_SHM_MAGIC &&
	       shm->version == want->version && shm->worker_count == want->worker_count &&
	       shm->guild_count == want->guild_count && shm->session_count == want->session_count &&
	       shm->leg_count == want->leg_count && shm->size == want->size &&
	       file_size == want->size;
}

static bool file_is_same(int fd, const struct dp_shm *want, uint64_t file_size)
{
	struct dp_shm found;

	return file_size >= sizeof(found) &&
	       pread(fd, &found, sizeof(found), 0) == (ssize_t)sizeof(found) &&
	       is_same(&found, want, file_size);
}

// All zeros, 'size' bytes. Never through size 0: a reader that has it mapped would die of SIGBUS.
static int start_over(int fd, uint64_t old_size, uint64_t size)
{
	uint64_t magic = 0;

	if (old_size >= sizeof(magic) && pwrite(fd, &magic, sizeof(magic), 0) < 0)
		return -errno;
	if (old_size > 0 &&
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)old_size) != 0)
		return -errno;
	return ftruncate(fd, (off_t)size) == 0 ? 0 : -errno;
}

int shm_map(int fd, const struct shm_geometry *geometry, uint32_t epoch, uint64_t tsc_hz,
	struct dp_shm **out, bool *kept)
{
	struct dp_shm want = {
		.version = DP_SHM_VERSION,
		.worker_count = geometry->worker_count,
		.guild_count = geometry->guild_count,
		.session_count = geometry->session_count,
		.leg_count = geometry->leg_count,
		.epoch = epoch,
		.tsc_hz = tsc_hz,
	};
	struct stat file;

	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
		return -EBADF;
	want.size = dp_shm_size(&want);
	*kept = file_is_same(fd, &want, (uint64_t)file.st_size);
	if (!*kept) {
		int err = start_over(fd, (uint64_t)file.st_size, want.size);

		if (err != 0)
			return err;
	}
	struct dp_shm *shm = mmap(NULL, want.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shm == MAP_FAILED)
		return -errno;
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
