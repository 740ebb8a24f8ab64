// SPDX-License-Identifier: BSD-3-Clause
//
// The one nftables table of an instance: media ports to our addresses are not the kernel's
// business. Without it the kernel would answer, or queue on the reservation sockets, what AF_PACKET
// also hands to us; with AF_XDP it only works while no socket sits on the queue. The tap of
// AF_PACKET is before every hook, so the dataplane still sees all.
#pragma once

#include <stddef.h>

#include "supervisor/plan.h"

#define NFT_TEXT_SIZE 4096

// "voicenode_<instance>", with what nftables does not take in a name replaced by '_'.
void nft_table_name(const char *instance, char name[PLAN_NAME_SIZE + 16]);

// Writes the commands that put the table, whether or not one was left behind. 0 or -E2BIG.
int nft_build(const struct node_plan *plan, char text[NFT_TEXT_SIZE])
	__attribute__((warn_unused_result));

// Puts the table in one transaction. 0 or -EIO; 'error' then holds what nftables said.
int nft_apply(const struct node_plan *plan, char *error, size_t error_size)
	__attribute__((warn_unused_result));

// Also allowed when there is none.
void nft_remove(const char *instance);
