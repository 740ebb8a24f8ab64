// SPDX-License-Identifier: BSD-3-Clause
//
// gateway.cfg: guilds, users and secrets; duplicates and dangling references with their lines; and
// that no secret is ever quoted or left behind.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"

static struct gateway_config config;
static struct config_problems problems;

static const char whole[] =
	"gateway = { name = \"gw-1\"; listen = \"[::]:443\"; public_url = "
	"\"wss://gw.example.org\";\n"
	"  tls = { certificate = \"/c.pem\"; key = \"/k.pem\"; };\n"
	"  node_secrets = [ \"first-secret\", \"second-secret\" ]; ping_ms = 500;\n"
	"  dead_after_pings = 5; socket = \"/tmp/gw.sock\"; };\n"
	"log = { level = \"debug\"; };\n"
	"guilds = (\n"
	"  { id = \"100\"; name = \"Demo\";\n"
	"    channels = ( { id = \"101\"; name = \"General\"; },\n"
	"                 { id = \"102\"; name = \"Games\"; } );\n"
	"    members = [ \"1\", \"2\" ]; moderators = [ \"2\" ]; },\n"
	"  { id = \"18446744073709551615\"; name = \"\xc3\x9c\"; }\n"
	");\n"
	"users = (\n"
	"  { id = \"1\"; name = \"anna\"; bot = true; token = \"token-of-anna\"; },\n"
	"  { id = \"2\"; name = \"bert\"; token = \"token-of-bert\"; }\n"
	");\n";

static int teardown(void **state)
{
	(void)state;
	config_problems_free(&problems);
	gateway_config_free(&config);
	return 0;
}

static int parse(const char *text)
{
	config_problems_free(&problems);
	gateway_config_free(&config);
	return gateway_config_parse("g.cfg", text, strlen(text), &config, &problems);
}

static void expect_problem(const char *text, const char *line)
{
	int error = parse(text);

	if (error != -EINVAL || strstr(problems.text, line) == NULL)
		print_error("%s\nexpected: %s\nfound: %s", text, line,
			problems.text == NULL ? "nothing" : problems.text);
	assert_int_equal(error, -EINVAL);
	assert_non_null(strstr(problems.text, line));
}

static void the_sample_and_an_empty_file_are_the_defaults(void **state)
{
	char *sample = NULL;
	(void)state;

	assert_int_equal(gateway_config_sample(&sample), 0);
	assert_int_equal(parse(sample), 0);
	free(sample);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(config.name, "gateway");
		assert_string_equal(config.listen_at.host, "127.0.0.1");
		assert_int_equal(config.listen_at.port, 8480);
		assert_string_equal(config.public_url, "");
		assert_int_equal(config.node_secret_count, 0);
		assert_int_equal(config.ping_ms, 1000);
		assert_int_equal(config.dead_after_pings, 3);
		assert_int_equal(config.log_level, LOG_LEVEL_INFO);
		assert_int_equal(config.guild_count, 0);
		assert_int_equal(config.user_count, 0);
		assert_int_equal(parse(""), 0);
	}
}

static void a_whole_file_fills_the_struct(void **state)
{
	(void)state;
	assert_int_equal(parse(whole), 0);
	assert_string_equal(config.name, "gw-1");
	assert_string_equal(config.listen_at.host, "::");
	assert_int_equal(config.listen_at.port, 443);
	assert_string_equal(config.public_url, "wss://gw.example.org");
	assert_string_equal(config.tls_certificate, "/c.pem");
	assert_string_equal(config.tls_key, "/k.pem");
	assert_int_equal(config.node_secret_count, 2);
	assert_string_equal(config.node_secret[1], "second-secret");
	assert_int_equal(config.ping_ms, 500);
	assert_int_equal(config.dead_after_pings, 5);
	assert_string_equal(config.socket, "/tmp/gw.sock");
	assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config.guild_count, 2);
	assert_true(config.guilds[0].id == 100);
	assert_int_equal(config.guilds[0].channel_count, 2);
	assert_true(config.guilds[0].channels[1].id == 102);
	assert_string_equal(config.guilds[0].channels[1].name, "Games");
	assert_int_equal(config.guilds[0].member_count, 2);
	assert_true(config.guilds[0].members[1] == 2);
	assert_int_equal(config.guilds[0].moderator_count, 1);
	assert_true(config.guilds[0].moderators[0] == 2);
	assert_true(config.guilds[1].id == UINT64_MAX);
	assert_int_equal(config.guilds[1].channel_count, 0);
	assert_int_equal(config.user_count, 2);
	assert_true(config.users[0].bot);
	assert_false(config.users[1].bot);
	assert_string_equal(config.users[1].token, "token-of-bert");
}

#define USERS                                                        \
	"users = ( { id = \"1\"; name = \"a\"; token = \"ta\"; },\n" \
	"          { id = \"2\"; name = \"b\"; token = \"tb\"; } );\n"

static void duplicates_are_told_with_both_lines(void **state)
{
	(void)state;
	expect_problem("guilds = ( { id = \"5\"; name = \"a\"; },\n{ id = \"6\"; name = \"b\"; },\n"
		       "{ id = \"5\"; name = \"c\"; } );",
		"g.cfg:3: guilds[2].id: is the same as guilds[0].id in line 1; allowed: each once");
	// Also across guilds: a client names a channel without its guild.
	expect_problem("guilds = ( { id = \"5\"; name = \"a\"; channels = ( { id = \"7\"; name = "
		       "\"x\"; } ); },\n"
		       "{ id = \"6\"; name = \"b\"; channels = ( { id = \"8\"; name = \"y\"; },\n"
		       "{ id = \"7\"; name = \"z\"; } ); } );",
		"g.cfg:3: guilds[1].channels[1].id: is the same as guilds[0].channels[0].id in "
		"line 1");
	expect_problem("users = ( { id = \"1\"; name = \"a\"; token = \"ta\"; },\n"
		       "{ id = \"1\"; name = \"b\"; token = \"tb\"; } );",
		"g.cfg:2: users[1].id: is the same as users[0].id in line 1");
	expect_problem("users = ( { id = \"1\"; name = \"a\"; token = \"ta\"; },\n"
		       "{ id = \"2\"; name = \"b\"; token = \"ta\"; } );",
		"g.cfg:2: users[1].token: is the same as users[0].token in line 1");
	expect_problem("gateway = { node_secrets = [ \"x\",\n\"x\" ]; };",
		"g.cfg:2: gateway.node_secrets[1]: is the same as another");
	expect_problem(USERS
		"guilds = ( { id = \"5\"; name = \"a\"; members = [ \"1\", \"2\",\n\"1\" ]; } );",
		"g.cfg:4: guilds[0].members[2]: is the same as guilds[0].members[0] in line 3");
}

static void dangling_references_are_told_with_their_line(void **state)
{
	(void)state;
	expect_problem(USERS
		"guilds = ( { id = \"5\"; name = \"a\"; members = [ \"1\",\n\"3\" ]; } );",
		"g.cfg:4: guilds[0].members[1]: found \"3\", which is no user of this file");
	expect_problem(USERS "guilds = ( { id = \"5\"; name = \"a\"; members = [ \"1\" ];\n"
			     "moderators = [ \"2\" ]; } );",
		"g.cfg:4: guilds[0].moderators[0]: found \"2\", which is no member of this guild");
}

static void users_and_members_come_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(
		parse("guilds = ( { id = \"5\"; name = \"a\"; members = [ \"2\", \"9\", \"1\" ];\n"
		      "  moderators = [ \"9\", \"1\" ]; } );\n"
		      "users = ( { id = \"9\"; name = \"c\"; token = \"tc\"; },\n"
		      "  { id = \"1\"; name = \"a\"; token = \"ta\"; },\n"
		      "  { id = \"2\"; name = \"b\"; token = \"tb\"; } );"),
		0);
	assert_true(config.guilds[0].members[1] == 9); // as written
	assert_true(config.users[0].id == 9);
}

static void items_need_their_keys_and_only_theirs(void **state)
{
	(void)state;
	expect_problem("guilds = ( { id = \"5\"; } );",
		"g.cfg:1: guilds[0]: the key \"name\" is missing; allowed: 1 to 100 bytes");
	expect_problem(
		"users = ( { id = \"5\"; name = \"a\"; } );", "the key \"token\" is missing");
	expect_problem("guilds = ( { id = \"5\"; name = \"a\"; chanels = ( ); } );",
		"guilds[0].chanels: unknown key; did you mean \"channels\"?");
	expect_problem(
		"guilds = ( { id = \"5\"; name = \"a\"; channels = ( { idd = \"1\"; } ); } );",
		"guilds[0].channels[0].idd: unknown key; did you mean \"id\"?");
	expect_problem(
		"guilds = ( 5 );", "g.cfg:1: guilds[0]: found the number 5; allowed: a group");
	expect_problem("guilds = { };", "g.cfg:1: guilds: found a group; allowed: a list");
	expect_problem("users = ( { id = \"5\"; name = \"a\"; token = \"t\"; bot = \"true\"; } );",
		"users[0].bot: found \"true\"; allowed: true or false");
	expect_problem("users = ( { id = \"5\"; name = \"a\"; token = \"t\"; bot = 1; } );",
		"users[0].bot: found the number 1; allowed: true or false");
}

static void ids_are_decimal_strings(void **state)
{
	static const char *const bad[] = {"5", "5000000000", "\"\"", "\"0\"", "\"01\"", "\"-1\"",
		"\"+1\"", "\" 1\"", "\"1 \"", "\"0x10\"", "\"1.5\"", "\"18446744073709551616\"",
		"\"99999999999999999999\"", "\"100000000000000000000000\"", "true", "( )"};
	char text[256];
	(void)state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "guilds = ( { id = %s; name = \"a\"; } );", bad[i]);
		expect_problem(text, "g.cfg:1: guilds[0].id: found ");
		snprintf(text, sizeof(text),
			"guilds = ( { id = \"1\"; name = \"a\"; members = ( %s ); } );", bad[i]);
		expect_problem(text, "g.cfg:1: guilds[0].members[0]: found ");
	}
}

static void values_out_of_bounds_are_refused(void **state)
{
	static char text[1024];
	(void)state;

	expect_problem("gateway = { ping_ms = 99; };", "99 is below 100");
	expect_problem("gateway = { ping_ms = 5000000000; };", "5000000000 is above 60000");
	expect_problem("gateway = { dead_after_pings = 0; };", "0 is below 1");
	expect_problem("gateway = { dead_after_pings = 61; };", "61 is above 60");
	expect_problem("gateway = { listen = \"8480\"; };", "is a port without an address");
	expect_problem("gateway = { public_url = \"https://x\"; };", "does not begin with ws://");
	expect_problem(
		"gateway = { tls = { key = \"/k\"; }; };", "without gateway.tls.certificate");
	expect_problem("gateway = { name = \"\"; };", "which is empty");
	expect_problem("gateway = { socket = \"\"; };", "does not begin with /");
	snprintf(text, sizeof(text), "guilds = ( { id = \"1\"; name = \"%0100d\"; } );", 1);
	assert_int_equal(parse(text), 0);
	snprintf(text, sizeof(text), "guilds = ( { id = \"1\"; name = \"%0101d\"; } );", 1);
	expect_problem(text, "is longer than 100 bytes");
	expect_problem("guilds = ( { id = \"1\"; name = \"\"; } );", "which is empty; allowed");
}

static void secrets_are_never_quoted(void **state)
{
	static const char *const texts[] = {
		"gateway = { node_secrets = [ \"hush hush\" ]; };",
		"gateway = { node_secrets = \"hush hush\"; };",
		"gateway = { node_secrets = [ \"hush\", \"hush\" ]; };",
		"users = ( { id = \"1\"; name = \"a\"; token = \"hush hush\"; } );",
		("users = ( { id = \"1\"; name = \"a\"; token = \"hush\"; }, "
		 "{ id = \"2\"; name = \"b\"; token = \"hush\"; } );"),
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i]), -EINVAL);
		assert_null(strstr(problems.text, "hush"));
	}
	expect_problem(
		"users = ( { id = \"1\"; name = \"a\"; token = 424242; } );", "found a number");
	assert_null(strstr(problems.text, "424242"));
}

static void free_leaves_nothing_behind(void **state)
{
	static const struct gateway_config zero;
	(void)state;

	assert_int_equal(parse(whole), 0);
	gateway_config_free(&config);
	assert_memory_equal(&config, &zero, sizeof(config));
	gateway_config_free(&config);
	assert_int_equal(
		parse("guilds = ( { id = \"1\"; name = \"a\"; members = [ \"1\" ]; } );"), -EINVAL);
	assert_memory_equal(&config, &zero, sizeof(config)); // also on failure
}

static void every_truncation_is_read_or_refused(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < sizeof(whole); cut++) {
		char *part = malloc(cut + 1);

		memcpy(part, whole, cut);
		config_problems_free(&problems);
		gateway_config_free(&config);
		if (gateway_config_parse("g.cfg", part, cut, &config, &problems) != 0)
			assert_true(problems.count > 0);
		free(part);
	}
}

// A file of the size that the bounds allow must not take minutes: no square of anything.
static void ten_thousand_users_are_read_at_once(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	(void)state;

	fprintf(out, "users = (");
	for (unsigned i = 1; i <= 10000; i++)
		fprintf(out, "%s{ id = \"%u\"; name = \"u%u\"; token = \"t%u\"; }\n",
			i == 1 ? "" : ", ", i, i, i);
	fprintf(out, ");\nguilds = ( { id = \"1\"; name = \"g\"; members = [ ");
	for (unsigned i = 1; i <= 10000; i++)
		fprintf(out, "%s\"%u\"", i == 1 ? "" : ", ", i);
	fprintf(out, " ]; } );\n");
	fclose(out);
	assert_int_equal(parse(text), 0);
	assert_int_equal(config.user_count, 10000);
	assert_int_equal(config.guilds[0].member_count, 10000);
	assert_string_equal(config.users[9999].token, "t10000");
	free(text);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void the_nodes_file_is_recognised(void **state)
{
	(void)state;
	expect_problem("# a node\nnetwork = { device = \"auto:eth0\"; };\n"
		       "gateway = { url = \"ws://127.0.0.1:8480/node\"; };\n",
		"g.cfg:2: this is a node's configuration, not a gateway's: it has \"network\"; "
		"check "
		"it with `voicenode config check FILE`");
	assert_int_equal(problems.count, 1);
	expect_problem("gateway = { secret_file = \"/x\"; };", "this is a node's configuration");
	assert_int_equal(problems.count, 1);
}

static void secrets_of_the_file_are_appended(void **state)
{
	char directory[] = "/tmp/config_gateway_test.XXXXXX", path[64], secrets[64], text[256];
	(void)state;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/g.cfg", directory);
	snprintf(secrets, sizeof(secrets), "%s/secrets", directory);
	snprintf(text, sizeof(text),
		"gateway = { node_secrets = [ \"one\" ]; node_secrets_file = \"%s\"; };", secrets);
	write_file(path, text);
	write_file(secrets, "# nodes\n\ntwo\r\nthree");
	assert_int_equal(gateway_config_load(path, &config, &problems), 0);
	assert_int_equal(config.node_secret_count, 3);
	assert_string_equal(config.node_secret[0], "one");
	assert_string_equal(config.node_secret[1], "two");
	assert_string_equal(config.node_secret[2], "three");
	gateway_config_free(&config);

	write_file(secrets, "two\nhush hush\n");
	assert_int_equal(gateway_config_load(path, &config, &problems), -EINVAL);
	assert_non_null(strstr(problems.text, "/secrets:2: found a secret which holds spaces"));
	assert_null(strstr(problems.text, "hush"));
	config_problems_free(&problems);
	unlink(secrets);
	assert_int_equal(gateway_config_load(path, &config, &problems), -ENOENT);
	assert_non_null(strstr(
		problems.text, ":1: gateway.node_secrets_file: found \"/tmp/config_gateway"));
	assert_non_null(strstr(problems.text, "/secrets\", which cannot be read: No such file"));
	unlink(path);
	rmdir(directory);
}

static void a_node_secret_is_the_first_line(void **state)
{
	char path[] = "/tmp/config_secret_test.XXXXXX", secret[CONFIG_SECRET_SIZE], why[256];
	int fd = mkstemp(path);
	(void)state;

	assert_true(fd >= 0);
	close(fd);
	write_file(path, "s3cret\nrest of it\n");
	assert_int_equal(config_secret_read(path, secret, why, sizeof(why)), 0);
	assert_string_equal(secret, "s3cret");
	write_file(path, "");
	assert_int_equal(config_secret_read(path, secret, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "is empty"));
	write_file(path, "hush hush\n");
	assert_int_equal(config_secret_read(path, secret, why, sizeof(why)), -EINVAL);
	assert_null(strstr(why, "hush"));
	unlink(path);
	assert_int_equal(config_secret_read(path, secret, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_sample_and_an_empty_file_are_the_defaults, teardown),
		cmocka_unit_test_teardown(a_whole_file_fills_the_struct, teardown),
		cmocka_unit_test_teardown(duplicates_are_told_with_both_lines, teardown),
		cmocka_unit_test_teardown(dangling_references_are_told_with_their_line, teardown),
		cmocka_unit_test_teardown(users_and_members_come_in_any_order, teardown),
		cmocka_unit_test_teardown(items_need_their_keys_and_only_theirs, teardown),
		cmocka_unit_test_teardown(ids_are_decimal_strings, teardown),
		cmocka_unit_test_teardown(values_out_of_bounds_are_refused, teardown),
		cmocka_unit_test_teardown(secrets_are_never_quoted, teardown),
		cmocka_unit_test_teardown(free_leaves_nothing_behind, teardown),
		cmocka_unit_test_teardown(every_truncation_is_read_or_refused, teardown),
		cmocka_unit_test_teardown(ten_thousand_users_are_read_at_once, teardown),
		cmocka_unit_test_teardown(the_nodes_file_is_recognised, teardown),
		cmocka_unit_test_teardown(secrets_of_the_file_are_appended, teardown),
		cmocka_unit_test_teardown(a_node_secret_is_the_first_line, teardown),
	};

	return cmocka_run_group_tests_name("config_gateway", tests, NULL, NULL);
}
