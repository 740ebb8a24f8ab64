// SPDX-License-Identifier: BSD-3-Clause
//
// See demo_files.h.
#include "supervisor/demo_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEMO_ID_BASE 1100000000000000000ull
#define DEMO_SECRET_SIZE 33

uint64_t demo_guild_id(unsigned guild)
{
	return DEMO_ID_BASE + 100 * (guild + 1);
}

uint64_t demo_channel_id(unsigned guild)
{
	return demo_guild_id(guild) + 1;
}

static uint64_t user_id(unsigned user)
{
	return DEMO_ID_BASE + 1000 + user;
}

unsigned demo_user_guild(unsigned user)
{
	return user < DEMO_BOTS ? user * DEMO_GUILDS / DEMO_BOTS : (user - DEMO_BOTS) % DEMO_GUILDS;
}

static int make_secret(char text[DEMO_TOKEN_SIZE])
{
	uint8_t bytes[(DEMO_TOKEN_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

static FILE *create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (f == NULL && fd >= 0)
		close(fd);
	return f;
}

static int finish(FILE *f)
{
	bool failed = ferror(f) != 0;

	return fclose(f) != 0 || failed ? -EIO : 0;
}

static void write_guild(FILE *f, unsigned guild)
{
	const char *separator = "";

	fprintf(f, "%s\t{ id = \"%" PRIu64 "\"; name = \"demo-%u\";\n", guild == 0 ? "" : ",\n",
		demo_guild_id(guild), guild + 1);
	fprintf(f,
		"\t  channels = ( { id = \"%" PRIu64 "\"; name = \"talk\"; } );\n\t  members = [",
		demo_channel_id(guild));
	for (unsigned user = 0; user < DEMO_USERS; user++) {
		if (demo_user_guild(user) != guild)
			continue;
		fprintf(f, "%s \"%" PRIu64 "\"", separator, user_id(user));
		separator = ",";
	}
	fprintf(f, " ]; }");
}

static int write_gateway(
	const struct demo_files *files, const struct demo_net *net, const char *secret)
{
	FILE *f = create(files->gateway_cfg);

	if (f == NULL)
		return -errno;
	fprintf(f, "gateway = {\n\tname = \"demo\";\n\tlisten = \"%s:%d\";\n", net->node_address,
		DEMO_GATEWAY_PORT);
	fprintf(f, "\tnode_secrets = [ \"%s\" ];\n\tsocket = \"%s/gateway.sock\";\n};\n", secret,
		files->directory);
	fprintf(f, "guilds = (\n");
	for (unsigned guild = 0; guild < DEMO_GUILDS; guild++)
		write_guild(f, guild);
	fprintf(f, "\n);\nusers = (\n");
	for (unsigned user = 0; user < DEMO_USERS; user++)
		fprintf(f,
			"%s\t{ id = \"%" PRIu64
			"\"; name = \"%s-%u\"; bot = true; token = \"%s\"; }",
			user == 0 ? "" : ",\n", user_id(user), user < DEMO_BOTS ? "bot" : "guest",
			user < DEMO_BOTS ? user + 1 : user - DEMO_BOTS + 1, files->tokens[user]);
	fprintf(f, "\n);\n");
	return finish(f);
}

static int write_node(const struct demo_files *files, const struct demo_net *net,
	const char *device, bool verbose)
{
	FILE *f = create(files->node_cfg);

	if (f == NULL)
		return -errno;
	fprintf(f,
		"node = {\n\tname = \"demo-node\";\n\tregion = \"demo\";\n\tinstance = \"demo\";\n"
		"\tstate_dir = \"%s/state\";\n};\n",
		files->directory);
	fprintf(f,
		"network = {\n\tdevice = \"%s:%s\";\n\taddresses = [ \"host\" ];\n"
		"\tmedia_ports = \"%d-%d\";\n};\n",
		device, DEMO_NODE_INTERFACE, DEMO_MEDIA_PORT, DEMO_MEDIA_PORT + 1);
	fprintf(f, "memory = {\n\thugepages = \"off\";\n\tmbufs = 8192;\n};\n");
	fprintf(f, "limits = {\n\tsessions = 256;\n\tguilds = 64;\n\tlegs = 4096;\n};\n");
	fprintf(f, "voice = {\n\tlisten = [ \"%s:%d\" ];\n};\n", net->node_address,
		DEMO_VOICE_PORT);
	fprintf(f,
		"gateway = {\n\turl = \"ws://%s:%d/node\";\n\tsecret_file = "
		"\"%s/node-secret\";\n};\n",
		net->node_address, DEMO_GATEWAY_PORT, files->directory);
	fprintf(f, "metrics = {\n\tlisten = \"%s:9477\";\n};\n", net->node_address);
	fprintf(f, "control = {\n\tsocket = \"%s\";\n};\n", files->node_socket);
	fprintf(f, "log = {\n\tlevel = \"%s\";\n};\n", verbose ? "debug" : "info");
	return finish(f);
}

static int write_secret(const struct demo_files *files, const char *secret)
{
	char path[DEMO_PATH_SIZE + 16];

	snprintf(path, sizeof(path), "%s/node-secret", files->directory);
	FILE *f = create(path);
	if (f == NULL)
		return -errno;
	fprintf(f, "%s\n", secret);
	return finish(f);
}

static void name_paths(struct demo_files *files)
{
	const struct {
		char *path;
		const char *name;
	} names[] = {
		{files->gateway_cfg, "gateway.cfg"},
		{files->node_cfg, "voicenode.cfg"},
		{files->node_socket, "node.sock"},
		{files->ca, "state/tls/ca.pem"},
		{files->ca_copy, "ca.pem"},
		{files->node_log, "node.log"},
		{files->gateway_log, "gateway.log"},
		{files->load_log, "load.log"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		snprintf(
			names[i].path, DEMO_PATH_SIZE, "%.64s/%s", files->directory, names[i].name);
}

int demo_files_create(struct demo_files *files, const char *root, const struct demo_net *net,
	const char *device, bool verbose, char *why, size_t why_size)
{
	char secret[DEMO_SECRET_SIZE] = "";
	int err = 0;

	*files = (struct demo_files){0};
	snprintf(files->directory, sizeof(files->directory), "%s/%s-XXXXXX", root, net->name);
	if (mkdtemp(files->directory) == NULL) {
		err = -errno;
		files->directory[0] = 0;
		snprintf(why, why_size, "no directory can be made in %s: %s", root, strerror(-err));
		return err;
	}
	// Passable, so that a client of another user gets at the authority's file; the rest is
	// 0600.
	if (chmod(files->directory, 0711) != 0)
		err = -errno;
	name_paths(files);
	for (unsigned user = 0; user < DEMO_USERS && err == 0; user++)
		err = make_secret(files->tokens[user]);
	if (err == 0)
		err = make_secret(secret);
	if (err == 0)
		err = write_secret(files, secret);
	if (err == 0)
		err = write_gateway(files, net, secret);
	if (err == 0)
		err = write_node(files, net, device, verbose);
	explicit_bzero(secret, sizeof(secret));
	if (err == 0)
		return 0;
	snprintf(why, why_size, "files in %s cannot be written: %s", files->directory,
		strerror(-err));
	demo_files_destroy(files);
	return err;
}

int demo_files_publish_ca(const struct demo_files *files)
{
	char bytes[16384];
	int in = open(files->ca, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int err = 0;

	if (in < 0)
		return -errno;
	ssize_t size = read(in, bytes, sizeof(bytes));
	close(in);
	int out = open(files->ca_copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (out < 0)
		return -errno;
	if (size <= 0 || write(out, bytes, (size_t)size) != size || fchmod(out, 0644) != 0)
		err = -EIO;
	close(out);
	return err;
}

void demo_files_destroy(struct demo_files *files)
{
	if (files->directory[0] != 0)
		demo_net_remove_tree(files->directory);
	explicit_bzero(files, sizeof(*files));
}
