// SPDX-License-Identifier: BSD-3-Clause
//
// voicenode.cfg and gateway.cfg as checked structs. One schema table per file (node_schema.c,
// gateway_schema.c) holds every key with type, bounds, default and help; loading, the sample files
// in configs/ and `voicenode config` come from it. A struct that these functions return is complete
// and within its bounds: callers check nothing again.
//
// Threads: any; no state is kept.
#pragma once

#include "config/config_gateway.h"
#include "config/config_load.h"
#include "config/config_node.h"
#include "config/config_types.h"
