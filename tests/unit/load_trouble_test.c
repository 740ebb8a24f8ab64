// SPDX-License-Identifier: BSD-3-Clause
//
// bench/load/trouble.c: which cure a refused certificate gets. What else it says, and that the run
// ends by it, is in tests/system/load_refusals_test.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/trouble.h"

static void a_stranger_is_cured_by_its_authority(void **state)
{
	// As OpenSSL 3 and 1.1 say it.
	static const char *const strangers[] = {"self-signed certificate in certificate chain",
		"self signed certificate", "unable to get local issuer certificate"};
	char cure[400];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		trouble_certificate_cure(strangers[i], NULL, cure, sizeof(cure));
		assert_non_null(strstr(cure, "trust its authority with --ca FILE"));
		trouble_certificate_cure(strangers[i], "/x.pem", cure, sizeof(cure));
		assert_non_null(strstr(cure, "--ca /x.pem is not the authority that signed it"));
	}
}

static void others_are_not_sent_to_ca(void **state)
{
	char cure[400];

	(void)state;
	trouble_certificate_cure("IP address mismatch", NULL, cure, sizeof(cure));
	assert_non_null(strstr(cure, "voice.endpoint"));
	assert_null(strstr(cure, "--ca"));
	trouble_certificate_cure("certificate has expired", "/x.pem", cure, sizeof(cure));
	assert_non_null(strstr(cure, "valid now"));
	assert_null(strstr(cure, "--ca"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_is_cured_by_its_authority),
		cmocka_unit_test(others_are_not_sent_to_ca),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
