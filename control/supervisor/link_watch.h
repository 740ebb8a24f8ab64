// SPDX-License-Identifier: BSD-3-Clause
//
// Wakes the supervisor when an interface of its network namespace comes, goes or changes. What
// changed is not read from the messages, which the kernel may drop: whoever is woken looks.
#pragma once

// A descriptor that becomes readable; the caller closes it. -errno: nobody will be woken.
int link_watch_open(void) __attribute__((warn_unused_result));
// Until the next change.
void link_watch_drain(int fd);
