// SPDX-License-Identifier: BSD-3-Clause
//
// Memory of a worker in one mapping.

#include "table/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/dp_assert.h"
#include "api/dp_limits.h"

#define MEMORY_POLICY_DEFAULT 0   // MPOL_DEFAULT of linux/mempolicy.h
#define MEMORY_POLICY_PREFERRED 1 // MPOL_PREFERRED

void *arena_take(struct arena *a, size_t size)
{
	size_t at = a->used;

	a->used += (size + DP_CACHE_LINE - 1) / DP_CACHE_LINE * DP_CACHE_LINE;
	if (a->base == NULL)
		return NULL;
	DP_ASSERT(a->used <= a->size);
	return a->base + at;
}

// A wish only: a kernel without NUMA refuses, and the memory is as good.
static void prefer_socket(int numa_socket)
{
	unsigned long mask = 0;

	if (numa_socket >= 0 && numa_socket < 64)
		mask = 1ul << numa_socket;
	(void)syscall(SYS_set_mempolicy, mask ? MEMORY_POLICY_PREFERRED : MEMORY_POLICY_DEFAULT,
		mask ? &mask : NULL, mask ? sizeof(mask) * 8 : 0);
}

int arena_map(struct arena *a, int numa_socket)
{
	size_t size = a->used;
	void *base;

	DP_ASSERT(a->base == NULL);
	DP_ASSERT(size > 0);
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	(void)madvise(base, size, MADV_HUGEPAGE);
	(void)madvise(base, size, MADV_DONTDUMP);
	// Touched now, so that no packet ever waits for a page fault.
	prefer_socket(numa_socket);
	memset(base, 0, size);
	prefer_socket(-1);
	*a = (struct arena){.base = base, .size = size};
	return 0;
}

void arena_unmap(struct arena *a)
{
	if (a->base != NULL) {
		explicit_bzero(a->base, a->size);
		munmap(a->base, a->size);
	}
	*a = (struct arena){0};
}
