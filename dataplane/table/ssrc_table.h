// SPDX-License-Identifier: BSD-3-Clause
//
// First SSRC of a session -> its slot. Open addressing with linear probing and no tombstones; half
// full at most, so a probe is short whatever a stranger asks for. One worker's.
#pragma once

#include <stdint.h>

#include "table/index_list.h"

struct arena;
struct ssrc_table;

// NULL while 'a' only measures. 'seed' is random: strangers choose what is looked up.
struct ssrc_table *ssrc_table_create(struct arena *a, uint32_t session_count, uint64_t seed);
// 0, -EEXIST. 'ssrc' is a multiple of DP_SSRCS_PER_SESSION.
int ssrc_table_add(struct ssrc_table *t, uint32_t ssrc, uint32_t slot)
	__attribute__((warn_unused_result));
void ssrc_table_remove(struct ssrc_table *t, uint32_t ssrc);
// Slot of the session that owns 'ssrc' (any of its block), or INDEX_NONE.
// Starts to fetch what ssrc_table_find() will read.
void ssrc_table_prefetch(const struct ssrc_table *t, uint32_t ssrc);
uint32_t ssrc_table_find(const struct ssrc_table *t, uint32_t ssrc);
