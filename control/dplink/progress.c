// SPDX-License-Identifier: BSD-3-Clause
//
// A read-only mapping and samples of it.

#include "dplink/progress.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BUSY_SAMPLE_MS 1000u

static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

void progress_init(struct progress *progress, int fd)
{
	memset(progress, 0, sizeof(*progress));
	progress->fd = fd;
}

void progress_fini(struct progress *progress)
{
	if (progress->shm != NULL)
		munmap(progress->shm, progress->size);
	progress->shm = NULL;
}

static bool is_sound(const struct dp_shm *shm, uint64_t file_size)
{
	if (__atomic_load_n(&shm->magic, __ATOMIC_ACQUIRE) != DP_SHM_MAGIC ||
		!dp_shm_is_layout(shm))
		return false;
	if (shm->worker_count == 0 || shm->worker_count > DP_WORKERS_MAX ||
		shm->guild_count > DP_GUILDS_MAX || shm->session_count > DP_SESSIONS_MAX ||
		shm->leg_count > DP_LEGS_MAX)
		return false;
	return dp_shm_size(shm) <= file_size;
}

int progress_map(struct progress *progress)
{
	struct stat st;
	void *base;

	if (fstat(progress->fd, &st) != 0)
		return -errno;
	if ((uint64_t)st.st_size < sizeof(struct dp_shm))
		return -ENODATA;
	if (progress->shm == NULL || progress->size != (uint64_t)st.st_size) {
		base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, progress->fd, 0);
		if (base == MAP_FAILED)
			return -errno;
		progress_fini(progress);
		progress->shm = base;
		progress->size = (uint64_t)st.st_size;
	}
	if (!is_sound(progress->shm, progress->size)) {
		progress_fini(progress);
		return -EPROTO;
	}
	return 0;
}

uint32_t progress_worker_count(const struct progress *progress)
{
	return progress->shm == NULL ? 0 : progress->shm->worker_count;
}

const struct dp_worker_shm *progress_worker(const struct progress *progress, uint32_t worker)
{
	return worker < progress_worker_count(progress) ? dp_shm_worker(progress->shm, worker)
							: NULL;
}

uint64_t progress_counter(const struct progress *progress, uint32_t worker, enum dp_counter counter)
{
	const struct dp_worker_shm *shm = progress_worker(progress, worker);

	return shm == NULL ? 0 : load(&shm->counters[counter]);
}

uint64_t progress_verdict(const struct progress *progress, uint32_t worker, enum dp_verdict verdict)
{
	const struct dp_worker_shm *shm = progress_worker(progress, worker);

	return shm == NULL ? 0 : load(&shm->verdicts[verdict]);
}

static void sample_busy(struct progress *progress, uint32_t worker, uint64_t now_ms)
{
	struct progress_worker *sample = &progress->worker[worker];
	uint64_t busy_tsc = progress_counter(progress, worker, DP_COUNTER_BUSY_TSC);
	uint64_t passed_ms = now_ms - sample->busy_at_ms;

	if (passed_ms < BUSY_SAMPLE_MS)
		return;
	if (sample->busy_at_ms != 0 && busy_tsc >= sample->busy_tsc && progress->shm->tsc_hz != 0) {
		double ratio = (double)(busy_tsc - sample->busy_tsc) * 1000.0 /
			       ((double)progress->shm->tsc_hz * (double)passed_ms);

		sample->busy_ratio = ratio > 1.0 ? 1.0 : ratio;
	}
	sample->busy_tsc = busy_tsc;
	sample->busy_at_ms = now_ms;
}

void progress_sample(struct progress *progress, uint64_t now_ms)
{
	for (uint32_t worker = 0; worker < progress_worker_count(progress); worker++) {
		struct progress_worker *sample = &progress->worker[worker];
		uint64_t heartbeat = load(&progress_worker(progress, worker)->heartbeat);

		if (heartbeat != sample->heartbeat) {
			sample->heartbeat = heartbeat;
			sample->moved_ms = now_ms;
			sample->has_moved = true;
		}
		sample_busy(progress, worker, now_ms);
	}
}

bool progress_turns(const struct progress *progress, uint32_t worker, uint64_t now_ms)
{
	const struct progress_worker *sample = &progress->worker[worker];

	return worker < progress_worker_count(progress) && sample->has_moved &&
	       now_ms - sample->moved_ms < PROGRESS_STALL_MS;
}

bool progress_all_turn(const struct progress *progress, uint64_t now_ms)
{
	uint32_t count = progress_worker_count(progress);

	for (uint32_t worker = 0; worker < count; worker++)
		if (!progress_turns(progress, worker, now_ms))
			return false;
	return count > 0;
}

uint32_t progress_nonces_left(const struct progress *progress, uint32_t worker, uint32_t session,
	uint32_t generation, uint32_t key_id)
{
	const struct dp_session_shm *shm;
	uint32_t floor;

	if (worker >= progress_worker_count(progress) || session >= progress->shm->session_count)
		return DP_NONCES_MAX;
	shm = dp_shm_sessions(progress->shm, worker) + session;
	if (__atomic_load_n(&shm->generation, __ATOMIC_RELAXED) != generation ||
		__atomic_load_n(&shm->key_id, __ATOMIC_RELAXED) != key_id)
		return DP_NONCES_MAX;
	floor = __atomic_load_n(&shm->nonce_floor, __ATOMIC_RELAXED);
	return floor > DP_NONCES_MAX ? 0 : DP_NONCES_MAX - floor;
}

const struct dp_guild_shm *progress_guild(
	const struct progress *progress, uint32_t worker, uint32_t guild, uint32_t generation)
{
	const struct dp_guild_shm *shm;

	if (worker >= progress_worker_count(progress) || guild >= progress->shm->guild_count)
		return NULL;
	shm = dp_shm_guilds(progress->shm, worker) + guild;
	return __atomic_load_n(&shm->generation, __ATOMIC_RELAXED) == generation ? shm : NULL;
}
