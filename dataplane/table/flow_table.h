// SPDX-License-Identifier: BSD-3-Clause
//
// Proven address -> the sessions that are there: who may be answered. One socket may serve several
// sessions, and none loses the address because another leaves it. Keyed hash (strangers choose
// addresses), linear probing, half full at most. One worker's.
#pragma once

#include <stdint.h>

#include "api/dp_media.h"
#include "table/index_list.h"

struct arena;
struct flow_table;

// NULL while 'a' only measures.
struct flow_table *flow_table_create(struct arena *a, uint32_t session_count, uint64_t seed);
// The session is at 'address' now, and nowhere else.
void flow_table_set(struct flow_table *t, const struct dp_addr *address, uint32_t slot);
// The session is nowhere. Nothing if it was nowhere.
void flow_table_remove(struct flow_table *t, uint32_t slot);
// Slot of a session that is there, the last to come first; or INDEX_NONE.
uint32_t flow_table_find(const struct flow_table *t, const struct dp_addr *address);
// The next one at the same address as 'slot', which is at one; or INDEX_NONE.
uint32_t flow_table_next(const struct flow_table *t, uint32_t slot);
