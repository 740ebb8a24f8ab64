// SPDX-License-Identifier: BSD-3-Clause
//
// The node's replies as people read them. What a reply lacks is shown as "-" or 0: an older node is
// still worth looking at.
#pragma once

#include <jansson.h>
#include <stdio.h>

void report_status(const json_t *reply, FILE *out);
void report_guilds(const json_t *reply, FILE *out);
