// SPDX-License-Identifier: BSD-3-Clause
//
// DPDK's own messages, as lines of our log; the last one is the reason that its return codes lack.
// Any thread of DPDK may write; eal_log_last() is for the main thread at start.
#pragma once

#include <stddef.h>

// 0 or -errno. Before rte_eal_init().
int eal_log_open(void) __attribute__((warn_unused_result));
// The same for libbpf and libxdp, which DPDK's AF_XDP driver brought along. After rte_eal_init().
void eal_log_open_bpf(void);
// The last message, "" if none since the last eal_log_forget().
void eal_log_last(char *text, size_t text_size);
// Of libxdp, where it is more than chatter.
void eal_log_last_bpf(char *text, size_t text_size);
void eal_log_forget(void);
