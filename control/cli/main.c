// SPDX-License-Identifier: BSD-3-Clause
//
// `voicenode`: what an operator types. This is only the table of its commands.

#include <stddef.h>

#include "cli/cli.h"
#include "supervisor/commands.h"

static const struct cli_command commands[] = {
	{"demo", "[--seconds N] [--json]",
		"a gateway, a node and eight talking bots on this machine", cmd_demo},
	{"run", "[--config FILE] [-- EAL ...]", "run this machine's node until it is stopped",
		cmd_run},
	{"status", "[--json] [--socket PATH]", "the running node: device, gateway, workers, drops",
		cmd_status},
	{"guilds", "[--json] [--socket PATH]", "its guilds, with their members and packets",
		cmd_guilds},
	{"config check", "[FILE] [--gateway]", "tell every mistake of a configuration file",
		cmd_config},
	{"config default", "[--gateway]", "print a configuration file with every key", cmd_config},
	{NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	return cli_dispatch(commands, argc, argv);
}
