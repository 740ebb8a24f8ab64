// SPDX-License-Identifier: BSD-3-Clause
//
// The allocator of wiping_heap.h, over the C library's.
#include "loop/wiping_heap.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *wiping_heap_realloc(void *ptr, size_t size, const char *reason)
{
	size_t old_size = ptr == NULL ? 0 : malloc_usable_size(ptr);
	void *grown;

	(void)reason;
	if (size != 0 && size <= old_size && size >= old_size / 2)
		return ptr; // as good as new, and nothing moves
	grown = size == 0 ? NULL : malloc(size);
	if (ptr == NULL || (size != 0 && grown == NULL))
		return grown; // not realloc(): it would leave the old copy behind
	if (grown != NULL)
		memcpy(grown, ptr, size < old_size ? size : old_size);
	explicit_bzero(ptr, old_size);
	free(ptr);
	return grown;
}
