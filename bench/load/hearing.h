// SPDX-License-Identifier: BSD-3-Clause
//
// Who should hear whom: one record per receiver and talker, made when it is first needed. A pair is
// open while both have a voice session, are in the same channel, the talker is not muted and the
// receiver is not deafened.
//
// The loop's thread only; bots of one guild only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "load/track.h"

struct bot;

#define HEARING_GRACE_NS 500000000u // for what is on its way when states change

struct hearing {
	struct track track;
	bool announced;          // op 5 for this talker's SSRC has come
	uint64_t unannounced_ns; // first packet before op 5; 0: none
	uint64_t suspect_ns;     // first packet that should not be here; 0: none
};

// NULL without memory.
struct hearing *hearing_get(struct bot *receiver, const struct bot *talker);
// After any change of 'bot': opens and closes its pairs.
void hearing_update(struct bot *bot);
// A new SSRC of 'talker': nobody knows it yet.
void hearing_forget_talker(struct bot *talker);
// A new voice session of 'receiver': it knows nobody's SSRC yet.
void hearing_forget_receiver(struct bot *receiver);
