// SPDX-License-Identifier: BSD-3-Clause
//
// Life of a crypto_engine: picks libipsec-mb's path for this CPU, proves it against known answers,
// names it.
#include "crypto/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/selftest.h"
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

struct crypto_engine *crypto_engine_create_on(IMB_ARCH arch, uint64_t flags)
{
	struct crypto_engine *engine =
		aligned_alloc(alignof(struct crypto_engine), sizeof(*engine));

	if (engine == NULL) {
		return NULL;
	}
	memset(engine, 0, sizeof(*engine));
	engine->mgr = alloc_mb_mgr(flags);
	if (engine->mgr == NULL) {
		goto fail;
	}
	mgr_init(engine->mgr, arch);
	// Without AES instructions the library refuses, or emulates them with tables whose timing
	// tells the key: both mean that this CPU cannot run it.
	if (imb_get_errno(engine->mgr) != 0 || (engine->mgr->features & IMB_FEATURE_AESNI) == 0) {
		goto fail;
	}
	if (!has_narrow_sha(engine, flags)) {
		goto fail;
	}
	srtp_cm_prepare(engine);
	engine->hchacha20_many = widest(engine->mgr);
	snprintf(engine->name, sizeof(engine->name), "ipsec-mb %s %s", imb_get_version_str(),
		arch_name(engine->mgr));
	if (!selftest_passes(engine)) {
		goto fail;
	}
	return engine;

fail:
	crypto_engine_destroy(engine);
	return NULL;
}

struct crypto_engine *crypto_engine_create(void)
{
	return crypto_engine_create_on(IMB_ARCH_NONE, 0);
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
