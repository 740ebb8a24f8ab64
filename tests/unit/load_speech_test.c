// SPDX-License-Identifier: BSD-3-Clause
//
// The bots' voice: every frame is Opus that libopus decodes to 20 ms, and it is audible.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <opus/opus.h>
#include <string.h>

#include "load/speech.h"

static OpusDecoder *decoder_make(void)
{
	int status;
	OpusDecoder *decoder = opus_decoder_create(SPEECH_SAMPLE_RATE, 1, &status);

	assert_int_equal(status, OPUS_OK);
	return decoder;
}

static void every_frame_decodes_to_20_ms_and_speaks(void **state)
{
	struct speech *speech;
	OpusDecoder *decoder = decoder_make();
	uint64_t loud_count = 0;

	(void)state;
	assert_int_equal(speech_create(1, &speech), 0);
	assert_int_equal(speech->frame_count, SPEECH_FRAME_COUNT);
	for (uint32_t i = 0; i < speech->frame_count; i++) {
		int16_t pcm[SPEECH_FRAME_SAMPLES];
		const struct speech_frame *frame = &speech->frames[i];
		int64_t energy = 0;

		assert_in_range(frame->size, 3, SPEECH_FRAME_SIZE_MAX);
		assert_int_equal(opus_decode(decoder, frame->data, frame->size, pcm,
					 SPEECH_FRAME_SAMPLES, 0),
			SPEECH_FRAME_SAMPLES);
		for (unsigned s = 0; s < SPEECH_FRAME_SAMPLES; s++)
			energy += (int64_t)pcm[s] * pcm[s];
		loud_count += energy / SPEECH_FRAME_SAMPLES > 100 * 100;
	}
	// Syllables with their pauses: more than half of the frames are clearly audible.
	assert_true(loud_count > SPEECH_FRAME_COUNT / 2);
	opus_decoder_destroy(decoder);
	speech_destroy(speech);
}

static void the_seed_makes_the_voice(void **state)
{
	struct speech *a, *b, *c;

	(void)state;
	assert_int_equal(speech_create(5, &a), 0);
	assert_int_equal(speech_create(5, &b), 0);
	assert_int_equal(speech_create(6, &c), 0);
	assert_memory_equal(a, b, sizeof(*a));
	assert_true(memcmp(a, c, sizeof(*a)) != 0);
	speech_destroy(a);
	speech_destroy(b);
	speech_destroy(c);
}

static void silence_is_a_frame_of_20_ms(void **state)
{
	OpusDecoder *decoder = decoder_make();
	int16_t pcm[SPEECH_FRAME_SAMPLES];

	(void)state;
	assert_int_equal(opus_decode(decoder, speech_silence, SPEECH_SILENCE_SIZE, pcm,
				 SPEECH_FRAME_SAMPLES, 0),
		SPEECH_FRAME_SAMPLES);
	for (unsigned s = 0; s < SPEECH_FRAME_SAMPLES; s++)
		assert_in_range(pcm[s] + 2, 0, 4);
	opus_decoder_destroy(decoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_decodes_to_20_ms_and_speaks),
		cmocka_unit_test(the_seed_makes_the_voice),
		cmocka_unit_test(silence_is_a_frame_of_20_ms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
