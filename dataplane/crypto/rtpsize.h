// SPDX-License-Identifier: BSD-3-Clause
//
// The two rtpsize suites (protocol.md 4.5): the nonce is the four suffix bytes as they are, then
// zeros; what travels is ciphertext | tag | suffix. Rows of the table in suite.c.
//
// Contracts are those of struct suite. Threads: as the engine.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct crypto_engine;
struct open_job;
struct seal_job;
struct suite_key;

int rtpsize_gcm_key_expand(struct crypto_engine *engine, struct suite_key *out, const uint8_t *key,
	const uint8_t *salt);
void rtpsize_gcm_seal(struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count);
void rtpsize_gcm_open(struct crypto_engine *engine, struct open_job *const jobs[], unsigned count);

int rtpsize_xchacha_key_expand(struct crypto_engine *engine, struct suite_key *out,
	const uint8_t *key, const uint8_t *salt);
void rtpsize_xchacha_seal(
	struct crypto_engine *engine, struct seal_job *const jobs[], unsigned count);
void rtpsize_xchacha_open(
	struct crypto_engine *engine, struct open_job *const jobs[], unsigned count);

// Whether two tags are equal, in a time that does not depend on where they differ.
static inline bool rtpsize_tag_equal(const uint8_t a[16], const uint8_t b[16])
{
	uint64_t x[2], y[2], difference;

	memcpy(x, a, 16);
	memcpy(y, b, 16);
	difference = (x[0] ^ y[0]) | (x[1] ^ y[1]);
	// Hides from the compiler that this is a comparison, which it could make two branches of.
	__asm__("" : "+r"(difference));
	return difference == 0;
}
