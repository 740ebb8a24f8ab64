// SPDX-License-Identifier: BSD-3-Clause
//
// See library_only.h.
#include "library_only.h"

#include <string.h>

#include "crypto/engine.h"

void library_only(struct crypto_engine *engine)
{
	char *plus = strstr(engine->name, "+sealer");

	engine->sealer.state = SEALER_ABSENT;
	if (plus != NULL) {
		*plus = '\0';
	}
}
