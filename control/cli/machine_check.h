// SPDX-License-Identifier: BSD-3-Clause
//
// What a checked configuration needs of the machine: the files that it names are opened (one that
// is missing, unreadable or not what it should be is a problem), its interface is looked at (a
// warning: the file may be meant for another machine), as are its memory and cores. What the
// configuration leaves empty, also because it was refused, is not looked at. Changes nothing. Any
// thread; blocks on files.
#pragma once

#include "config/config.h"

void machine_check_node(
	const char *path, const struct node_config *config, struct config_problems *problems);
void machine_check_gateway(
	const char *path, const struct gateway_config *config, struct config_problems *problems);
