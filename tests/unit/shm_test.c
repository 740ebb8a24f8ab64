// SPDX-License-Identifier: BSD-3-Clause
//
// The progress memfd: who finds what in it.

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/shm.h"

static const struct shm_geometry geometry = {
	.worker_count = 2, .guild_count = 3, .session_count = 5, .leg_count = 7};

static int memory(void)
{
	int fd = memfd_create("progress", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static uint64_t file_size(int fd)
{
	struct stat file;

	assert_int_equal(fstat(fd, &file), 0);
	return (uint64_t)file.st_size;
}

static struct dp_shm *map(int fd, const struct shm_geometry *want, uint32_t epoch, bool *kept)
{
	struct dp_shm *shm = NULL;
	char why[400];

	assert_int_equal(shm_map(fd, want, epoch, 1000000000, &shm, kept, why, sizeof(why)), 0);
	assert_int_equal(shm->magic, DP_SHM_MAGIC);
	assert_int_equal(shm->epoch, epoch);
	assert_int_equal(shm->size, dp_shm_size(shm));
	assert_int_equal(file_size(fd), shm->size);
	return shm;
}

// Every byte behind the header.
static bool is_zero(const struct dp_shm *shm)
{
	const uint8_t *bytes = (const uint8_t *)shm;

	for (uint64_t i = sizeof(*shm); i < shm->size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

static void empty_file_becomes_zeros(void **state)
{
	int fd = memory();
	bool kept = true;

	(void)state;
	struct dp_shm *shm = map(fd, &geometry, 4, &kept);
	assert_false(kept);
	assert_true(is_zero(shm));
	assert_int_equal(shm->worker_count, 2);
	assert_int_equal(shm->leg_count, 7);
	assert_int_equal(shm->tsc_hz, 1000000000);
	// The last byte of the last worker is there.
	((uint8_t *)shm)[shm->size - 1] = 9;
	assert_ptr_equal(&dp_shm_legs(shm, 1)[7], (uint8_t *)shm + shm->size);
	shm_unmap(shm);
	close(fd);
}

static void successor_finds_what_was_left(void **state)
{
	int fd = memory();
	bool kept;

	(void)state;
	struct dp_shm *first = map(fd, &geometry, 1, &kept);
	dp_shm_sessions(first, 1)[4].nonce_floor = 77;
	dp_shm_worker(first, 0)->heartbeat = 5;
	shm_unmap(first);
	struct dp_shm *second = map(fd, &geometry, 2, &kept);
	assert_true(kept);
	assert_int_equal(dp_shm_sessions(second, 1)[4].nonce_floor, 77);
	assert_int_equal(dp_shm_worker(second, 0)->heartbeat, 5);
	shm_unmap(second);
	close(fd);
}

// Nobody takes it, nobody changes it, and the sentence names the cure.
static void refused(int fd, const struct shm_geometry *want, const char *word)
{
	uint64_t size = file_size(fd);
	uint8_t *before = malloc(size), *after = malloc(size);
	struct dp_shm *shm = NULL;
	char why[400] = "";
	bool kept;

	assert_int_equal(pread(fd, before, size, 0), size);
	assert_int_equal(shm_map(fd, want, 2, 1, &shm, &kept, why, sizeof(why)), -ESTALE);
	assert_false(kept);
	assert_null(shm);
	assert_non_null(strstr(why, word));
	assert_non_null(strstr(why, "cure: start voicenode anew"));
	assert_true(strlen(why) + 1 < sizeof(why));
	assert_int_equal(file_size(fd), size);
	assert_int_equal(pread(fd, after, size, 0), size);
	assert_memory_equal(before, after, size);
	free(before);
	free(after);
}

static void another_geometry_is_refused(void **state)
{
	(void)state;
	for (unsigned field = 0; field < 4; field++) {
		for (int step = -1; step <= 1; step += 2) {
			struct shm_geometry other = geometry;
			uint32_t *counts[] = {&other.worker_count, &other.guild_count,
				&other.session_count, &other.leg_count};
			int fd = memory();
			bool kept;
			struct dp_shm *shm = map(fd, &geometry, 1, &kept);

			dp_shm_sessions(shm, 0)[1].nonce_floor = 4096;
			shm_unmap(shm);
			*counts[field] += (uint32_t)step;
			refused(fd, &other, "for 2 workers with 3 guilds, 5 sessions, 7 legs");
			shm = map(fd, &geometry, 3, &kept); // it still serves its own
			assert_true(kept);
			assert_int_equal(dp_shm_sessions(shm, 0)[1].nonce_floor, 4096);
			shm_unmap(shm);
			close(fd);
		}
	}
}

static void damage_is_refused(void **state)
{
	(void)state;
	// Magic, version, counters, verdicts, size; a file that is shorter or longer than it says.
	for (unsigned damage = 0; damage < 7; damage++) {
		int fd = memory();
		bool kept;
		struct dp_shm *shm = map(fd, &geometry, 1, &kept);
		uint64_t size = shm->size;

		dp_shm_sessions(shm, 0)[0].nonce_floor = 1;
		shm->magic ^= damage == 0;
		shm->version += damage == 1;
		shm->counter_count += damage == 2;
		shm->verdict_count -= damage == 3;
		shm->size += damage == 4;
		munmap(shm, size);
		if (damage == 5)
			assert_int_equal(ftruncate(fd, 10), 0);
		if (damage == 6)
			assert_int_equal(ftruncate(fd, (off_t)size + 1), 0);
		refused(fd, &geometry, damage >= 1 && damage <= 3 ? "another build" : "damaged");
		close(fd);
	}
}

// Whoever died before the magic number was there has served nobody.
static void what_was_never_begun_starts_with_zeros(void **state)
{
	int fd = memory();
	bool kept;

	(void)state;
	struct dp_shm *shm = map(fd, &geometry, 1, &kept);
	memset((uint8_t *)shm + sizeof(*shm), 0xaa, shm->size - sizeof(*shm));
	shm->magic = 0;
	shm_unmap(shm);
	assert_int_equal(ftruncate(fd, (off_t)file_size(fd) + 4096), 0);
	shm = map(fd, &geometry, 2, &kept);
	assert_false(kept);
	assert_true(is_zero(shm));
	shm_unmap(shm);
	close(fd);
}

static void refuses_what_is_no_memory(void **state)
{
	struct dp_shm *shm = NULL;
	int fds[2];
	char why[400];
	bool kept;

	(void)state;
	assert_int_equal(shm_map(-1, &geometry, 1, 1, &shm, &kept, why, sizeof(why)), -EBADF);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(shm_map(fds[0], &geometry, 1, 1, &shm, &kept, why, sizeof(why)), -EBADF);
	assert_null(shm);
	shm_unmap(NULL);
	close(fds[0]);
	close(fds[1]);
	int fd = memory();
	// A supervisor's seal against growing: said, not crashed on.
	int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_GROW), 0);
	assert_int_equal(shm_map(sealed, &geometry, 1, 1, &shm, &kept, why, sizeof(why)), -EPERM);
	close(sealed);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_file_becomes_zeros),
		cmocka_unit_test(successor_finds_what_was_left),
		cmocka_unit_test(another_geometry_is_refused),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(what_was_never_begun_starts_with_zeros),
		cmocka_unit_test(refuses_what_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
