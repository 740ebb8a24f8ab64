// SPDX-License-Identifier: BSD-3-Clause
//
// What the bots say: some seconds of a synthesised voice (a glottal pulse train through moving
// formants under a syllable envelope), encoded once by libopus and shared by all talkers, who start
// at different places of it. Every payload on the wire is a real Opus frame.
//
// Made before the loop starts, read-only afterwards.
#pragma once

#include <stdint.h>

#define SPEECH_SAMPLE_RATE 48000u // Hz
#define SPEECH_FRAME_SAMPLES 960u // 20 ms
#define SPEECH_BITRATE 64000      // bit/s
#define SPEECH_FRAME_COUNT 300u   // 6 s
#define SPEECH_FRAME_SIZE_MAX 512u

struct speech_frame {
	uint16_t size; // bytes
	uint8_t data[SPEECH_FRAME_SIZE_MAX];
};

struct speech {
	uint32_t frame_count;
	struct speech_frame frames[SPEECH_FRAME_COUNT];
};

// The Opus frame of 20 ms of silence that ends a burst.
#define SPEECH_SILENCE_SIZE 3u
extern const uint8_t speech_silence[SPEECH_SILENCE_SIZE];

// The same 'seed' gives the same voice. 0, -ENOMEM, -EIO (libopus refused).
int speech_create(uint64_t seed, struct speech **out) __attribute__((warn_unused_result));
// NULL allowed.
void speech_destroy(struct speech *speech);
