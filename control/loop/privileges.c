// SPDX-License-Identifier: BSD-3-Clause
//
// Capabilities away, no new ones by exec.
#include "loop/privileges.h"

#include <errno.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/prctl.h>

int privileges_drop(void)
{
	cap_t none;
	int error = 0;

	// The bounding set needs CAP_SETPCAP, which root alone has: without it no_new_privs does.
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	none = cap_init();
	if (none == NULL)
		return -ENOMEM;
	if (cap_set_proc(none) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		error = -errno;
	cap_free(none);
	return error;
}
