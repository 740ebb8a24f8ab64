// SPDX-License-Identifier: BSD-3-Clause
//
// The commands of `voicenode` that start processes. Each parses its own arguments (argv[0] is the
// command's name), runs to its end and returns the exit status. Called once, from main().
#pragma once

// `run --config FILE [-- EAL ARGUMENTS]`: the supervisor of one node. 0 after an orderly stop; 1
// when something it needs is missing (said in one sentence, with the cure); 2 for wrong arguments.
int cmd_run(int argc, char **argv);

// `demo [--seconds N] [--json] [--device afpacket|afxdp] [--verbose]`: a gateway, a node and eight
// bots in namespaces of their own. 0 only when all bots joined and the result could be printed.
int cmd_demo(int argc, char **argv);
