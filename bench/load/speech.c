// SPDX-License-Identifier: BSD-3-Clause
//
// The synthesised voice and its Opus frames.
#include "load/speech.h"

#include <errno.h>
#include <math.h>
#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

const uint8_t speech_silence[SPEECH_SILENCE_SIZE] = {0xf8, 0xff, 0xfe};

#define FORMANT_COUNT 3u
#define VOWEL_COUNT 5u

// A two-pole resonator: y = g x + b1 y1 + b2 y2.
struct resonator {
	float gain, b1, b2, y1, y2;
};

struct voice {
	struct resonator formants[FORMANT_COUNT];
	uint64_t random;
	float phase;        // of the pulse train, 0..1
	float pitch_hz;     // of this syllable
	uint32_t at_sample; // inside the syllable
	uint32_t syllable_samples;
};

// Formants of a, e, i, o, u: Hz.
static const float vowels[VOWEL_COUNT][FORMANT_COUNT] = {
	{730, 1090, 2440},
	{530, 1840, 2480},
	{270, 2290, 3010},
	{570, 840, 2410},
	{300, 870, 2240},
};

static float random_unit(struct voice *voice)
{
	// xorshift64*: only has to sound uneven.
	voice->random ^= voice->random >> 12;
	voice->random ^= voice->random << 25;
	voice->random ^= voice->random >> 27;
	return (float)((voice->random * 0x2545f4914f6cdd1dULL) >> 40) / 16777216.0f;
}

static void resonator_tune(struct resonator *resonator, float hz, float width_hz)
{
	const float pi = 3.14159265f;
	float radius = expf(-pi * width_hz / (float)SPEECH_SAMPLE_RATE);

	resonator->b1 = 2.0f * radius * cosf(2.0f * pi * hz / (float)SPEECH_SAMPLE_RATE);
	resonator->b2 = -radius * radius;
	resonator->gain = 1.0f - radius;
}

static void syllable_begin(struct voice *voice)
{
	unsigned vowel = (unsigned)(random_unit(voice) * (float)VOWEL_COUNT) % VOWEL_COUNT;

	voice->at_sample = 0;
	voice->syllable_samples = (uint32_t)((0.14f + 0.14f * random_unit(voice)) * 48000.0f);
	voice->pitch_hz = 95.0f + 60.0f * random_unit(voice);
	for (unsigned i = 0; i < FORMANT_COUNT; i++)
		resonator_tune(&voice->formants[i], vowels[vowel][i], 60.0f + 40.0f * (float)i);
}

static float voice_sample(struct voice *voice)
{
	if (voice->at_sample >= voice->syllable_samples)
		syllable_begin(voice);

	float place = (float)voice->at_sample++ / (float)voice->syllable_samples;
	float envelope = sinf(3.14159265f * place);
	float in = 0.02f * (random_unit(voice) - 0.5f); // breath
	float out = 0;

	voice->phase += voice->pitch_hz * (1.0f - 0.1f * place) / (float)SPEECH_SAMPLE_RATE;
	if (voice->phase >= 1.0f) {
		voice->phase -= 1.0f;
		in += 1.0f; // one closing of the glottis
	}
	for (unsigned i = 0; i < FORMANT_COUNT; i++) {
		struct resonator *r = &voice->formants[i];
		float y = r->gain * in + r->b1 * r->y1 + r->b2 * r->y2;

		r->y2 = r->y1;
		r->y1 = y;
		out += y / (float)(i + 1);
	}
	return out * envelope * envelope * 12.0f;
}

static int encode_all(OpusEncoder *encoder, struct voice *voice, struct speech *speech)
{
	int16_t pcm[SPEECH_FRAME_SAMPLES];

	for (uint32_t i = 0; i < SPEECH_FRAME_COUNT; i++) {
		struct speech_frame *frame = &speech->frames[i];

		for (unsigned s = 0; s < SPEECH_FRAME_SAMPLES; s++) {
			float value = voice_sample(voice) * 12000.0f;

			value = value > 32000.0f ? 32000.0f : value < -32000.0f ? -32000.0f : value;
			pcm[s] = (int16_t)value;
		}

		int size = opus_encode(
			encoder, pcm, SPEECH_FRAME_SAMPLES, frame->data, SPEECH_FRAME_SIZE_MAX);

		// A frame of one or two bytes is libopus' "send nothing"; our voice has none.
		if (size < 3)
			return -EIO;
		frame->size = (uint16_t)size;
	}
	speech->frame_count = SPEECH_FRAME_COUNT;
	return 0;
}

int speech_create(uint64_t seed, struct speech **out)
{
	struct speech *speech = calloc(1, sizeof(*speech));
	struct voice voice = {.random = seed * 2 + 1};
	int opus_status = 0;
	int status = -EIO;

	if (speech == NULL)
		return -ENOMEM;

	OpusEncoder *encoder =
		opus_encoder_create(SPEECH_SAMPLE_RATE, 1, OPUS_APPLICATION_VOIP, &opus_status);

	if (encoder != NULL && opus_status == OPUS_OK &&
		opus_encoder_ctl(encoder, OPUS_SET_BITRATE(SPEECH_BITRATE)) == OPUS_OK &&
		opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(4)) == OPUS_OK)
		status = encode_all(encoder, &voice, speech);
	if (encoder != NULL)
		opus_encoder_destroy(encoder);
	if (status != 0) {
		speech_destroy(speech);
		return status;
	}
	*out = speech;
	return 0;
}

void speech_destroy(struct speech *speech)
{
	free(speech);
}
