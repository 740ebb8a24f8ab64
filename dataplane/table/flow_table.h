// SPDX-License-Identifier: BSD-3-Clause
//
// Proven address -> session slot: who may be answered. Keyed hash (strangers choose addresses),
// linear probing, half full at most. The last session that proved an address has it. One worker's.
#pragma once

#include <stdint.h>

#include "api/dp_media.h"
#include "table/index_list.h"

struct arena;
struct flow_table;

// NULL while 'a' only measures.
struct flow_table *flow_table_create(struct arena *a, uint32_t session_count, uint64_t seed);
// Each session has at most one address here.
void flow_table_set(struct flow_table *t, const struct dp_addr *address, uint32_t slot);
// Removes the address if it is this session's; otherwise does nothing.
void flow_table_remove(struct flow_table *t, const struct dp_addr *address, uint32_t slot);
// Slot, or INDEX_NONE.
uint32_t flow_table_find(const struct flow_table *t, const struct dp_addr *address);
