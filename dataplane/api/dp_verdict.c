// SPDX-License-Identifier: BSD-3-Clause
//
// Names and classes of the verdicts, from the one X-list in dp_verdict.h.

#include "api/dp_verdict.h"

#include "api/dp_assert.h"

#define DP_VERDICT_LABEL(name, label, klass, help) [DP_##name] = label,
static const char *const labels[DP_VERDICT_COUNT] = {DP_VERDICTS(DP_VERDICT_LABEL)};

#define DP_VERDICT_HELP(name, label, klass, help) [DP_##name] = help,
static const char *const helps[DP_VERDICT_COUNT] = {DP_VERDICTS(DP_VERDICT_HELP)};

#define DP_VERDICT_CLASS(name, label, klass, help) [DP_##name] = DP_CLASS_##klass,
static const uint8_t classes[DP_VERDICT_COUNT] = {DP_VERDICTS(DP_VERDICT_CLASS)};

const char *dp_verdict_label(enum dp_verdict verdict)
{
	DP_ASSERT(verdict < DP_VERDICT_COUNT);
	return labels[verdict];
}

const char *dp_verdict_help(enum dp_verdict verdict)
{
	DP_ASSERT(verdict < DP_VERDICT_COUNT);
	return helps[verdict];
}

enum dp_class dp_verdict_class(enum dp_verdict verdict)
{
	DP_ASSERT(verdict < DP_VERDICT_COUNT);
	return (enum dp_class)classes[verdict];
}
