// SPDX-License-Identifier: BSD-3-Clause
//
// See backoff.h. The first restart is at once: media waits for it.
#include "supervisor/backoff.h"

uint32_t backoff_next(struct backoff *backoff, uint64_t lived_ms)
{
	if (lived_ms >= BACKOFF_RESET_MS)
		backoff->deaths = 0;
	backoff->deaths++;
	if (backoff->deaths == 1)
		return 0;

	uint32_t delay_ms = BACKOFF_FIRST_MS;
	for (uint32_t i = 2; i < backoff->deaths && delay_ms < BACKOFF_LAST_MS; i++)
		delay_ms *= 2;
	return delay_ms < BACKOFF_LAST_MS ? delay_ms : BACKOFF_LAST_MS;
}
