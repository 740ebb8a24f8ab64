// SPDX-License-Identifier: BSD-3-Clause
//
// The only part of config/ that touches the machine: files, the host's name, the allowed cores.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/schema.h"
#include "config/value.h"

// Reads a whole file, at most 'size_max' bytes, with a NUL after it. The caller wipes and frees.
static int read_file(const char *path, size_t size_max, char **text, size_t *text_size)
{
	char *made = NULL;
	size_t size = 0;
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0)
		error = -errno;
	else if (S_ISDIR(status.st_mode))
		error = -EISDIR;
	else if ((made = malloc(size_max + 1)) == NULL)
		error = -ENOMEM;
	while (error == 0) {
		ssize_t got = read(fd, made + size, size_max + 1 - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			error = -errno;
		if (got <= 0)
			break;
		size += (size_t)got;
		if (size > size_max)
			error = -EFBIG;
	}
	close(fd);
	if (error != 0) {
		if (made != NULL)
			explicit_bzero(made, size);
		free(made);
		return error;
	}
	made[size] = '\0';
	*text = made;
	*text_size = size;
	return 0;
}

static const char *cure_of(int error)
{
	switch (error) {
	case -ENOENT:
		return "write it, or name another";
	case -EACCES:
		return "let this user read it";
	case -EFBIG:
		return "this is no such file";
	default:
		return "name a file that can be read";
	}
}

unsigned config_line_of(const char *path, const char *key)
{
	struct config_problems ignored = {0}; // told when the file was loaded
	char *text = NULL, *scanned = NULL;
	size_t text_size = 0;
	unsigned line = 0;

	if (read_file(path, CONFIG_FILE_SIZE_MAX, &text, &text_size) != 0)
		return 0;
	if (config_scan(path, text, text_size, &scanned, &ignored) == 0) {
		line = schema_line_of(scanned, key);
		explicit_bzero(scanned, strlen(scanned));
		free(scanned);
	}
	explicit_bzero(text, text_size);
	free(text);
	config_problems_free(&ignored);
	return line;
}

static void unreadable(const char *path, int error, struct config_problems *problems)
{
	problem_add(problems, path, 0, "cannot be read: %s; %s", strerror(-error), cure_of(error));
}

int node_config_load(const char *path, struct node_config *config, struct config_problems *problems)
{
	char hostname[256] = "", *text = NULL;
	struct config_facts facts = {.hostname = hostname};
	size_t text_size = 0;
	int error;

	if (gethostname(hostname, sizeof(hostname) - 1) != 0)
		hostname[0] = '\0';
	CPU_ZERO(&facts.cpus);
	if (sched_getaffinity(0, sizeof(facts.cpus), &facts.cpus) != 0)
		CPU_SET(0, &facts.cpus); // more than CPU_SETSIZE cores: one is there for certain
	error = read_file(path, CONFIG_FILE_SIZE_MAX, &text, &text_size);
	if (error != 0) {
		unreadable(path, error, problems);
		return error;
	}
	error = node_config_parse(path, text, text_size, &facts, config, problems);
	explicit_bzero(text, text_size);
	free(text);
	return error;
}

// Whether [line, end) is a secret; appends it.
static void add_secret(struct gateway_config *config, const char *path, unsigned number,
	const char *line, size_t line_size, struct config_problems *problems)
{
	char *secret, why[SCHEMA_WHY_SIZE];

	if (config->node_secret_count == CONFIG_SECRETS_MAX) {
		problem_add(problems, path, number, "is beyond the %u secrets that are allowed",
			CONFIG_SECRETS_MAX);
		return;
	}
	if (line_size >= CONFIG_SECRET_SIZE) {
		problem_add(problems, path, number, "found a secret of %zu bytes; allowed: %u",
			line_size, CONFIG_SECRET_SIZE - 1);
		return;
	}
	secret = config->node_secret[config->node_secret_count];
	memcpy(secret, line, line_size);
	secret[line_size] = '\0';
	if (check_secret(secret, why, sizeof(why)))
		config->node_secret_count++;
	else
		problem_add(problems, path, number, "found a secret which %s", why);
}

static int load_node_secrets(
	const char *config_path, struct gateway_config *config, struct config_problems *problems)
{
	const char *path = config->node_secrets_file;
	uint32_t count_before = problems->count;
	size_t text_size = 0;
	char *text = NULL;
	unsigned number = 0;
	int error = read_file(path, 65536, &text, &text_size);

	if (error != 0) {
		config_problem_add(problems, false, config_path, "gateway.node_secrets_file",
			"found \"%s\", which cannot be read: %s; %s", path, strerror(-error),
			cure_of(error));
		return error;
	}
	for (char *line = text, *end; line < text + text_size; line = end + 1) {
		end = line + strcspn(line, "\n");
		number++;
		size_t line_size = (size_t)(end - line);

		if (line_size > 0 && line[line_size - 1] == '\r')
			line_size--;
		if (line_size > 0 && line[0] != '#')
			add_secret(config, path, number, line, line_size, problems);
	}
	explicit_bzero(text, text_size);
	free(text);
	return problems->count == count_before ? 0 : -EINVAL;
}

int gateway_config_load(
	const char *path, struct gateway_config *config, struct config_problems *problems)
{
	size_t text_size = 0;
	char *text = NULL;
	int error = read_file(path, CONFIG_FILE_SIZE_MAX, &text, &text_size);

	if (error != 0) {
		unreadable(path, error, problems);
		return error;
	}
	error = gateway_config_parse(path, text, text_size, config, problems);
	explicit_bzero(text, text_size);
	free(text);
	if ((error != 0 && !problems->has_rest) || config->node_secrets_file[0] == '\0')
		return error;
	int unread = load_node_secrets(path, config, problems);
	if (error == 0)
		error = unread;
	if (error != 0 && !problems->wants_rest)
		gateway_config_free(config);
	problems->has_rest = error != 0 && problems->wants_rest;
	return error;
}

int config_secret_read(const char *path, char *secret, char *why, size_t why_size)
{
	size_t text_size = 0, size;
	char *text = NULL, reason[SCHEMA_WHY_SIZE] = "";
	int error = read_file(path, 65536, &text, &text_size);

	if (error != 0) {
		snprintf(why, why_size, "the secret file %s cannot be read: %s; %s", path,
			strerror(-error), cure_of(error));
		return error;
	}
	size = strcspn(text, "\r\n");
	text[size] = '\0';
	if (size == 0)
		snprintf(reason, sizeof(reason), "is empty");
	else if (size >= CONFIG_SECRET_SIZE)
		snprintf(reason, sizeof(reason), "is longer than %u bytes", CONFIG_SECRET_SIZE - 1);
	else if (check_secret(text, reason, sizeof(reason)))
		memcpy(secret, text, size + 1);
	if (size > 0 && size < CONFIG_SECRET_SIZE && reason[0] == '\0')
		error = 0;
	else
		error = -EINVAL;
	if (error != 0)
		snprintf(why, why_size,
			"the first line of the secret file %s %s; write one of the gateway's "
			"node_secrets there",
			path, reason);
	explicit_bzero(text, text_size);
	free(text);
	return error;
}
