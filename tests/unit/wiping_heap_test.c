// SPDX-License-Identifier: BSD-3-Clause
//
// The wiping allocator: every block that it gives back to the C library has been zeroed. The linker
// puts __wrap_free() in front of free() (tests/unit/meson.build).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "loop/wiping_heap.h"

static const void *watched; // the block whose end is looked at
static unsigned freed, dirty;

void __real_free(void *ptr);
void __wrap_free(void *ptr);

void __wrap_free(void *ptr)
{
	if (ptr != NULL && ptr == watched) {
		const uint8_t *bytes = ptr;

		freed++;
		for (size_t i = 0; i < malloc_usable_size(ptr); i++)
			dirty += bytes[i] != 0;
	}
	__real_free(ptr);
}

static char *secret(size_t size)
{
	char *block = wiping_heap_realloc(NULL, size, "test");

	assert_non_null(block);
	memset(block, 's', size);
	watched = block;
	freed = dirty = 0;
	return block;
}

static void a_freed_block_is_wiped(void **state)
{
	(void)state;
	assert_null(wiping_heap_realloc(NULL, 0, "test"));
	assert_null(wiping_heap_realloc(secret(1000), 0, "test"));
	assert_int_equal(freed, 1);
	assert_int_equal(dirty, 0);
}

static void a_block_that_moves_leaves_nothing_and_loses_nothing(void **state)
{
	static const size_t sizes[] = {1, 10, 40, 999, 1000, 1001, 100000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *block = secret(1000);
		char *moved = wiping_heap_realloc(block, sizes[i], "test");

		assert_non_null(moved);
		assert_int_equal(freed, moved != watched);
		assert_int_equal(dirty, 0);
		for (size_t at = 0; at < sizes[i] && at < 1000; at++)
			assert_int_equal(moved[at], 's');
		wiping_heap_realloc(moved, 0, "test");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_freed_block_is_wiped),
		cmocka_unit_test(a_block_that_moves_leaves_nothing_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
