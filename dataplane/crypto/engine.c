// SPDX-License-Identifier: BSD-3-Clause
//
// Life of a crypto_engine: picks libipsec-mb's path for this CPU, proves it against known answers,
// names it.
#include "crypto/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/selftest.h"
#include "crypto/srtp2.h"
#include "crypto/suite.h"

static const char *arch_name(const IMB_MGR *mgr)
{
	switch ((IMB_ARCH)mgr->used_arch) {
	case IMB_ARCH_SSE:
		return "sse";
	case IMB_ARCH_AVX:
		return "avx";
	case IMB_ARCH_AVX2:
		return "avx2";
	case IMB_ARCH_AVX512:
		return "avx512";
	case IMB_ARCH_NONE:
	case IMB_ARCH_NOAESNI:
	case IMB_ARCH_NUM:
		break;
	}
	return "unknown";
}

// As wide as the library goes, so that choosing its path (for tests) chooses ours.
static hchacha20_many_fn *widest(const IMB_MGR *mgr)
{
	hchacha20_many_fn *many = NULL;

	if (mgr->used_arch >= IMB_ARCH_AVX512) {
		many = hchacha20_many(HCHACHA20_AVX512);
	}
	if (many == NULL && mgr->used_arch >= IMB_ARCH_AVX2) {
		many = hchacha20_many(HCHACHA20_AVX2);
	}
	return many != NULL ? many : hchacha20_many(HCHACHA20_SCALAR);
}

static void mgr_init(IMB_MGR *mgr, IMB_ARCH arch)
{
	switch (arch) {
	case IMB_ARCH_SSE:
		init_mb_mgr_sse(mgr);
		break;
	case IMB_ARCH_AVX:
		init_mb_mgr_avx(mgr);
		break;
	case IMB_ARCH_AVX2:
		init_mb_mgr_avx2(mgr);
		break;
	case IMB_ARCH_AVX512:
		init_mb_mgr_avx512(mgr);
		break;
	case IMB_ARCH_NONE:
	case IMB_ARCH_NOAESNI:
	case IMB_ARCH_NUM:
		init_mb_mgr_auto(mgr, NULL);
		break;
	}
}

// With AVX-512 the library hashes in 16 lanes, which few messages do not fill, and does not use the
// CPU's SHA instructions: those are in its SSE path.
static bool has_narrow_sha(struct crypto_engine *engine, uint64_t flags)
{
	if (engine->mgr->used_arch < IMB_ARCH_AVX2 ||
		(engine->mgr->features & IMB_FEATURE_SHANI) == 0) {
		return true;
	}
	engine->mgr_sha = alloc_mb_mgr(flags);
	if (engine->mgr_sha == NULL) {
		return false;
	}
	init_mb_mgr_sse(engine->mgr_sha);
	return imb_get_errno(engine->mgr_sha) == 0;
}

static void refuse_rtpsize(struct crypto_engine *engine)
{
	for (unsigned id = DP_SUITE_NONE + 1; id <= DP_SUITE_RTPSIZE_LAST; id++) {
		snprintf(engine->refusal[id], sizeof(engine->refusal[id]),
			"libsrtp2 has no %s, which native clients need: set crypto_engine to"
			" \"auto\" or \"ipsec-mb\"",
			suite_get(id)->name);
	}
}

// NULL, or why the library does not run.
static const char *ipsec_mb_start(
	struct crypto_engine *engine, const struct crypto_engine_setup *setup)
{
	// Without these the library refuses, or, built to, emulates them with tables whose timing
	// tells the key.
	static const char no_aes[] =
		"this CPU lacks the AES instructions (aes, pclmulqdq) that every suite needs, or"
		" its hypervisor hides them: use one that has them";

	engine->mgr = alloc_mb_mgr(setup->flags);
	if (engine->mgr == NULL) {
		return imb_get_errno(NULL) == IMB_ERR_NO_AESNI_EMU ? no_aes : "out of memory";
	}
	if ((engine->mgr->features & IMB_FEATURE_AESNI) == 0) {
		return no_aes;
	}
	mgr_init(engine->mgr, setup->arch);
	if (imb_get_errno(engine->mgr) != 0) {
		return imb_get_strerror(imb_get_errno(engine->mgr));
	}
	if (!has_narrow_sha(engine, setup->flags)) {
		return "out of memory";
	}
	srtp_cm_prepare(engine);
	engine->hchacha20_many = widest(engine->mgr);
	engine->sealer_keys = sealer_available();
	snprintf(engine->name, sizeof(engine->name), "ipsec-mb %s %s", imb_get_version_str(),
		arch_name(engine->mgr));
	return NULL;
}

// RTCP stays libipsec-mb's.
static int libsrtp2_start(struct crypto_engine *engine, char *why, size_t why_size)
{
	char ipsec_mb[sizeof(engine->name)];
	int err = srtp2_start(why, why_size);

	if (err < 0) {
		return err;
	}
	refuse_rtpsize(engine);
	memcpy(ipsec_mb, engine->name, sizeof(ipsec_mb));
	snprintf(engine->name, sizeof(engine->name), "libsrtp2 %.8s, RTCP: %.36s", srtp2_version(),
		ipsec_mb);
	return 0;
}

// As wide as the library goes. The library has passed its own self-test: it is what the sealer is
// compared with.
static void sealer_up(struct crypto_engine *engine)
{
	if (engine->kind != CRYPTO_ENGINE_AUTO || engine->mgr->used_arch < IMB_ARCH_AVX512) {
		return;
	}
	sealer_start(&engine->sealer, engine);
	if (engine->sealer.state == SEALER_ON) {
		size_t size = strlen(engine->name);

		snprintf(engine->name + size, sizeof(engine->name) - size, "+sealer");
	}
}

struct crypto_engine *crypto_engine_create_as(
	const struct crypto_engine_setup *setup, char *why, size_t why_size)
{
	struct crypto_engine *engine =
		aligned_alloc(alignof(struct crypto_engine), sizeof(*engine));
	const char *reason;
	enum dp_suite wrong;

	if (engine == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	memset(engine, 0, sizeof(*engine));
	engine->kind = setup->kind;
	reason = ipsec_mb_start(engine, setup);
	if (reason != NULL) {
		snprintf(why, why_size, "libipsec-mb %s does not run here: %s",
			imb_get_version_str(), reason);
		goto fail;
	}
	if (setup->kind == CRYPTO_ENGINE_LIBSRTP2 && libsrtp2_start(engine, why, why_size) < 0) {
		goto fail;
	}
	if (setup->tamper != NULL) {
		setup->tamper(engine);
	}
	wrong = selftest_run(engine);
	if (wrong != DP_SUITE_NONE) {
		snprintf(why, why_size,
			"the self-test of %s failed on %s: this CPU or library computes wrongly"
			" and must carry no media; try another machine",
			suite_get(wrong)->name, engine->name);
		goto fail;
	}
	sealer_up(engine);
	return engine;

fail:
	crypto_engine_destroy(engine);
	return NULL;
}

struct crypto_engine *crypto_engine_create(enum crypto_engine_kind kind, char *why, size_t why_size)
{
	return crypto_engine_create_as(
		&(struct crypto_engine_setup){.kind = kind, .arch = IMB_ARCH_NONE}, why, why_size);
}

void crypto_engine_destroy(struct crypto_engine *engine)
{
	if (engine == NULL) {
		return;
	}
	if (engine->mgr != NULL) {
		free_mb_mgr(engine->mgr);
	}
	if (engine->mgr_sha != NULL) {
		free_mb_mgr(engine->mgr_sha);
	}
	explicit_bzero(engine, sizeof(*engine));
	free(engine);
}

const char *crypto_engine_name(const struct crypto_engine *engine)
{
	return engine->name;
}

const char *crypto_engine_refusal(const struct crypto_engine *engine, enum dp_suite suite)
{
	return crypto_engine_runs(engine, suite) ? NULL : engine->refusal[suite];
}

bool crypto_engine_interleaves(const struct crypto_engine *engine)
{
	return __atomic_load_n(&engine->sealer.state, __ATOMIC_RELAXED) == SEALER_ON;
}

void crypto_engine_check_every(struct crypto_engine *engine, uint32_t groups)
{
	engine->sealer.check_every = groups;
}

const char *crypto_engine_warning(const struct crypto_engine *engine)
{
	switch (__atomic_load_n(&engine->sealer.state, __ATOMIC_RELAXED)) {
	case SEALER_UNPROVEN:
		return "the interleaving sealer gave a wrong answer in its self-test on this CPU "
		       "and"
		       " is off: libipsec-mb seals alone, at half the speed; please report the"
		       " CPU's model";
	case SEALER_DISPROVEN:
		return "the interleaving sealer sealed a packet otherwise than libipsec-mb and is"
		       " off: libipsec-mb seals alone, at half the speed; suspect this machine, and"
		       " restart the dataplane to try again";
	case SEALER_ABSENT:
	case SEALER_ON:
		break;
	}
	return NULL;
}
