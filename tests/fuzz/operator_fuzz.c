// SPDX-License-Identifier: BSD-3-Clause
//
// Fuzz target: any line on the operator socket. Whatever it is, the answer is one line of JSON, an
// object, and the node that it looks at has a name that needs escaping.

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "operator/operator.h"
#include "support/fake_node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_made;
	char *line, *answer;
	json_t *root;

	if (!is_made) {
		fake_node_create();
		is_made = true;
	}
	if (size > OPERATOR_LINE_SIZE_MAX)
		return 0;
	line = malloc(size > 0 ? size : 1); // exact: a byte read behind it is found
	DP_ASSERT(line != NULL);
	if (size > 0)
		memcpy(line, data, size);
	answer = operator_answer(&fake_view, line, size);
	DP_ASSERT(answer != NULL && strchr(answer, '\n') == NULL);
	root = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
	DP_ASSERT(json_is_object(root));
	json_decref(root);
	free(answer);
	free(line);
	return 0;
}
