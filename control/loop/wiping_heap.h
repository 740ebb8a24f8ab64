// SPDX-License-Identifier: BSD-3-Clause
//
// The allocator that libwebsockets is given: what it frees is wiped first. Tokens and media keys go
// through the library's buffers, and it wipes none of them itself.
//
// Any thread. Neighbour: loop.c installs it, once, before the library allocates anything.
#pragma once

#include <stddef.h>

// As realloc() with 'ptr' NULL or 'size' 0 allowed: NULL allocates, 0 frees and returns NULL.
// 'reason' is the library's word for the log and is not used.
void *wiping_heap_realloc(void *ptr, size_t size, const char *reason);
