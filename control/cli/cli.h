// SPDX-License-Identifier: BSD-3-Clause
//
// The operator's commands of `voicenode`, besides run and demo (supervisor/commands.h). Each gets
// its own arguments (argv[0] is the command's name), prints to stdout, complains to stderr and
// returns the exit status.
#pragma once

#define CLI_OK 0
#define CLI_FAILED 1
#define CLI_USAGE 2

#define CLI_CONFIG_PATH "/etc/voicenode/voicenode.cfg"
#define CLI_GATEWAY_CONFIG_PATH "/etc/voicenode/gateway.cfg"
#define CLI_RUNTIME_DIR "/run/voicenode"             // which `voicenode run` makes
#define CLI_SOCKET_PATH CLI_RUNTIME_DIR "/node.sock" // the default of control.socket

typedef int cli_command_fn(int argc, char **argv);

struct cli_command {
	const char *name;      // "status"; a second word only tells what to type
	const char *arguments; // "[FILE] [--gateway]"
	const char *help;      // one line
	cli_command_fn *run;
};

// Runs the command that argv[1] names; `help [COMMAND]` and `version` are known to it. Every
// command takes `--help` and ends what it then says with an example. The table ends with a name of
// NULL. Returns the exit status.
int cli_dispatch(const struct cli_command *commands, int argc, char **argv);

// `config check [FILE] [--gateway]`, `config default [--gateway]`.
int cmd_config(int argc, char **argv);
// `status [--json] [--socket PATH | --config FILE]`.
int cmd_status(int argc, char **argv);
// `guilds [--json] [--socket PATH | --config FILE]`.
int cmd_guilds(int argc, char **argv);
