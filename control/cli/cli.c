// SPDX-License-Identifier: BSD-3-Clause
//
// Which command, what it says of itself, and what there is when it is none.

#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_usage(const struct cli_command *commands, FILE *out)
{
	fputs("usage: voicenode COMMAND [ARGUMENTS]\n\n", out);
	for (const struct cli_command *c = commands; c->name != NULL; c++) {
		char words[96];

		snprintf(words, sizeof(words), "%s%s%s", c->name,
			c->arguments[0] == '\0' ? "" : " ", c->arguments);
		// A help that does not fit beside its command stands below it.
		if (strlen(words) <= 32)
			fprintf(out, "  %-32s  %s\n", words, c->help);
		else
			fprintf(out, "  %s\n%36s%s\n", words, "", c->help);
	}
	fputs("  help [COMMAND]                    this text, or all about one command\n"
	      "  version                           the version\n\n"
	      "Exit status: 0 done, 1 failed, 2 wrong arguments.\n",
		out);
}

static bool is_first_word(const char *words, const char *name)
{
	return strcspn(words, " ") == strlen(name) && strncmp(words, name, strlen(name)) == 0;
}

static const struct cli_command *find(const struct cli_command *commands, const char *name)
{
	for (const struct cli_command *c = commands; c->name != NULL; c++)
		if (is_first_word(c->name, name))
			return c;
	return NULL;
}

static int no_command(const struct cli_command *commands, const char *name)
{
	if (name[0] != '\0')
		fprintf(stderr, "voicenode: there is no command \"%s\"\n\n", name);
	print_usage(commands, stderr);
	return CLI_USAGE;
}

// What a command says of itself: one text, wherever it is asked for.
static int help(const struct cli_command *commands, const char *name)
{
	char word[32], option[] = "--help", *argv[] = {word, option, NULL};
	const struct cli_command *command = find(commands, name);

	if (name[0] == '\0' || strcmp(name, "help") == 0 || strcmp(name, "version") == 0) {
		print_usage(commands, stdout);
		return CLI_OK;
	}
	if (command == NULL)
		return no_command(commands, name);
	snprintf(word, sizeof(word), "%s", name);
	return command->run(2, argv);
}

int cli_dispatch(const struct cli_command *commands, int argc, char **argv)
{
	const char *name = argc < 2 ? "" : argv[1];
	const struct cli_command *command = find(commands, name);

	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(commands, argc < 3 ? "" : argv[2]);
	if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
		printf("voicenode %s\n", VN_VERSION);
		return CLI_OK;
	}
	if (name[0] == '\0' || command == NULL)
		return no_command(commands, name);
	return command->run(argc - 1, argv + 1);
}
