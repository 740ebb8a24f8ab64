// SPDX-License-Identifier: BSD-3-Clause
//
// control/supervisor/lock.c: one holder at a time, although every holder removes its file.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/lock.h"

#define TAKERS 4
#define TURNS 300

static char directory[64], file[128], marker[128];

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/supervisor_lock_test.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/x.lock", directory);
	snprintf(marker, sizeof(marker), "%s/marker", directory);
	return setenv("VOICENODE_RUNTIME_DIR", directory, 1);
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory); // fails where a file was left
}

static void a_lock_has_one_holder_and_leaves_no_file(void **state)
{
	int holder = 0, fd = lock_take("x", &holder), none = -1;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(lock_take("x", &holder), -EWOULDBLOCK);
	assert_int_equal(holder, getpid());
	lock_release("x", &none);
	assert_int_equal(access(file, F_OK), 0);
	lock_release("x", &fd);
	assert_int_equal(fd, -1);
	assert_int_equal(access(file, F_OK), -1);
	fd = lock_take("x", &holder);
	assert_true(fd >= 0);
	lock_release("x", &fd);
}

static void what_a_killed_holder_left_is_taken(void **state)
{
	int holder = 0, status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(lock_take("x", &holder) < 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(access(file, F_OK), 0);
	int fd = lock_take("x", &holder);
	assert_true(fd >= 0);
	lock_release("x", &fd);
}

// A file that somebody else put in the place of ours is not ours to remove.
static void another_file_of_the_name_stays(void **state)
{
	int holder = 0, fd = lock_take("x", &holder);

	(void)state;
	assert_int_equal(unlink(file), 0);
	int other = lock_take("x", &holder);
	assert_true(other >= 0);
	lock_release("x", &fd);
	assert_int_equal(lock_take("x", &holder), -EWOULDBLOCK);
	lock_release("x", &other);
}

// Each holder makes a file that must not be there yet.
static int take_in_turns(void)
{
	for (unsigned i = 0; i < TURNS; i++) {
		int holder = 0, fd = lock_take("x", &holder);

		if (fd == -EWOULDBLOCK)
			continue;
		int mine = fd < 0 ? -1 : open(marker, O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (mine < 0 || close(mine) != 0 || unlink(marker) != 0)
			return 1;
		lock_release("x", &fd);
	}
	return 0;
}

static void two_never_hold_it_at_once(void **state)
{
	pid_t takers[TAKERS];

	(void)state;
	for (unsigned i = 0; i < TAKERS; i++) {
		takers[i] = fork();
		assert_true(takers[i] >= 0);
		if (takers[i] == 0)
			_exit(take_in_turns());
	}
	for (unsigned i = 0; i < TAKERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(takers[i], &status, 0), takers[i]);
		assert_int_equal(status, 0);
	}
}

#define LOCK_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCK_TEST(a_lock_has_one_holder_and_leaves_no_file),
		LOCK_TEST(what_a_killed_holder_left_is_taken),
		LOCK_TEST(another_file_of_the_name_stays),
		LOCK_TEST(two_never_hold_it_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
