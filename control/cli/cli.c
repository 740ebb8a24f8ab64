// SPDX-License-Identifier: BSD-3-Clause
//
// Which command, and what there is when it is none.

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
	fputs("  help                              this text\n"
	      "  version                           the version\n\n"
	      "Exit status: 0 done, 1 failed, 2 wrong arguments.\n",
		out);
}

static bool is_first_word(const char *words, const char *name)
{
	return strcspn(words, " ") == strlen(name) && strncmp(words, name, strlen(name)) == 0;
}

int cli_dispatch(const struct cli_command *commands, int argc, char **argv)
{
	const char *name = argc < 2 ? "" : argv[1];

	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_usage(commands, stdout);
		return CLI_OK;
	}
	if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
		printf("voicenode %s\n", VN_VERSION);
		return CLI_OK;
	}
	for (const struct cli_command *c = commands; c->name != NULL; c++)
		if (name[0] != '\0' && is_first_word(c->name, name))
			return c->run(argc - 1, argv + 1);
	if (name[0] != '\0')
		fprintf(stderr, "voicenode: there is no command \"%s\"\n\n", name);
	print_usage(commands, stderr);
	return CLI_USAGE;
}
