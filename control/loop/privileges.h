// SPDX-License-Identifier: BSD-3-Clause
//
// What a program that parses strangers' bytes gives up once its sockets are open: every capability,
// and the way back to any. Single-threaded programs; any user.
#pragma once

// 0 or -errno: the process goes on with what it has, and should say so.
int privileges_drop(void) __attribute__((warn_unused_result));
