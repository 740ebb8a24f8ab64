// SPDX-License-Identifier: BSD-3-Clause
//
// The operator's commands: exit statuses, sentences, tables, and the asking end of the operator
// socket against nodes that answer well, badly, late and not at all.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/operator_client.h"
#include "cli/report.h"
#include "cli/table.h"

static char directory[64], socket_path[80];
static char out_text[131072], err_text[8192];

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/cli_test.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s", directory);
	return 0;
}

static int remove_directory(void **state)
{
	char path[96];
	(void)state;

	unlink(socket_path);
	snprintf(path, sizeof(path), "%s/x.cfg", directory);
	unlink(path);
	return rmdir(directory);
}

static void take(FILE *file, char *text, size_t text_size)
{
	size_t size;

	rewind(file);
	size = fread(text, 1, text_size - 1, file);
	text[size] = '\0';
	fclose(file);
}

static int never(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 77;
}

static int echo(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("%s;", argv[i]);
	return CLI_OK;
}

static const struct cli_command commands[] = {
	{"run", "[--config FILE]", "runs", never},
	{"echo", "", "says what it was given", echo},
	{"status", "[--json]", "tells", cmd_status},
	{"guilds", "[--json]", "lists", cmd_guilds},
	{"config check", "[FILE] [--gateway] and more than fits beside", "checks", cmd_config},
	{"config default", "[--gateway]", "prints", cmd_config},
	{NULL, NULL, NULL, NULL},
};

// Runs a command line, with stdout and stderr in out_text and err_text.
static int run(const char *line)
{
	char words[512], *rest = words, *argv[16];
	int argc = 0, status, out_fd, err_fd;
	FILE *out = tmpfile(), *err = tmpfile();

	assert_non_null(out);
	assert_non_null(err);
	snprintf(words, sizeof(words), "%s", line);
	while (argc < 15 && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	argv[argc] = NULL;
	fflush(stdout);
	fflush(stderr);
	out_fd = dup(STDOUT_FILENO);
	err_fd = dup(STDERR_FILENO);
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(err), STDERR_FILENO);
	status = cli_dispatch(commands, argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	close(out_fd);
	close(err_fd);
	take(out, out_text, sizeof(out_text));
	take(err, err_text, sizeof(err_text));
	return status;
}

// A node of one question: answers with 'answer' after 'delay_ms' and closes. Returns its process.
static pid_t serve(const char *answer, size_t answer_size, unsigned delay_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t child;

	assert_true(listener >= 0);
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	unlink(socket_path);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char question[128] = "";
		int fd = accept(listener, NULL, NULL);
		ssize_t got = recv(fd, question, sizeof(question) - 1, 0);
		size_t sent = 0;

		usleep(delay_ms * 1000);
		if (got <= 0 || question[got - 1] != '\n')
			_exit(1);
		if (answer == NULL) { // the question itself
			answer = question;
			answer_size = (size_t)got;
		}
		while (sent < answer_size) {
			ssize_t more = send(fd, answer + sent, answer_size - sent, MSG_NOSIGNAL);

			if (more <= 0)
				break;
			sent += (size_t)more;
		}
		_exit(0);
	}
	close(listener);
	return child;
}

static void end_of(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void statuses_are_0_1_2(void **state)
{
	(void)state;
	assert_int_equal(run("voicenode help"), 0);
	assert_non_null(strstr(out_text, "  config default [--gateway]        prints\n"));
	assert_non_null(strstr(
		out_text, "more than fits beside\n                                    checks\n"));
	assert_int_equal(run("voicenode --help"), 0);
	assert_int_equal(run("voicenode version"), 0);
	assert_string_equal(out_text, "voicenode " VN_VERSION "\n");
	assert_int_equal(run("voicenode"), 2);
	assert_string_equal(out_text, "");
	assert_non_null(strstr(err_text, "usage: voicenode COMMAND"));
	assert_int_equal(run("voicenode stat"), 2);
	assert_non_null(strstr(err_text, "there is no command \"stat\""));
	assert_int_equal(run("voicenode run"), 77);
	assert_int_equal(run("voicenode config"), 2);
	assert_int_equal(run("voicenode config check a b"), 2);
	assert_int_equal(run("voicenode config default b"), 2);
	assert_int_equal(run("voicenode config show"), 2);
	assert_int_equal(run("voicenode status --help"), 0);
	assert_non_null(strstr(out_text, "usage: voicenode status "));
	assert_int_equal(run("voicenode config --help"), 0);
	assert_non_null(strstr(out_text, "usage: voicenode config check"));
	assert_int_equal(run("voicenode config check --what"), 2);
	assert_int_equal(run("voicenode status now"), 2);
	assert_int_equal(run("voicenode status --jsn"), 2);
	assert_int_equal(run("voicenode guilds --socket"), 2);
	assert_string_equal(out_text, "");
}

static void help_of_a_command_is_what_it_says_itself(void **state)
{
	static const char *const names[] = {"status", "guilds", "config"};
	char line[64], example[64];
	(void)state;

	assert_int_equal(run("voicenode help echo"), 0);
	assert_string_equal(out_text, "echo;--help;");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "voicenode help %s", names[i]);
		assert_int_equal(run(line), 0);
		snprintf(example, sizeof(example), "\nexample: voicenode %s ", names[i]);
		assert_non_null(strstr(out_text, example));
		assert_string_equal(err_text, "");
	}
	assert_int_equal(run("voicenode help config check"), 0);
	assert_int_equal(run("voicenode help version"), 0);
	assert_int_equal(run("voicenode help nonsense"), 2);
	assert_non_null(strstr(err_text, "there is no command \"nonsense\""));
}

static void write_config(const char *text)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/x.cfg", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0); // it may stand for a secret
}

// The same with the secret in a file that is there: x.cfg itself, whose first line is one word.
static void write_config_with_secret(const char *text)
{
	static const char common[] = "/etc/voicenode/node-secret";
	static char made[sizeof(out_text) + 128];
	const char *at = strstr(text, common);

	if (at == NULL)
		snprintf(made, sizeof(made), "#\n%s", text);
	else
		snprintf(made, sizeof(made), "#\n%.*s%s/x.cfg%s", (int)(at - text), text, directory,
			at + strlen(common));
	write_config(made);
}

static void config_default_checks_clean(void **state)
{
	static const char *const lines[] = {
		"voicenode config default", "voicenode config default --gateway"};
	char path[96], line[160];
	(void)state;

	snprintf(path, sizeof(path), "%s/x.cfg", directory);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(run(lines[i]), 0);
		write_config_with_secret(out_text);
		snprintf(line, sizeof(line),
			i == 0 ? "voicenode config check %s"
			       : "voicenode config --gateway check %s",
			path);
		assert_int_equal(run(line), 0);
		assert_non_null(strstr(out_text, "x.cfg: no problems")); // eth0 may not be here
	}
}

static void config_check_opens_what_the_file_names(void **state)
{
	char line[160], text[512];
	(void)state;

	snprintf(line, sizeof(line), "voicenode config check %s/x.cfg", directory);
	write_config("network = { device = \"null\"; addresses = [ \"192.0.2.1/24\" ]; };\n"
		     "gateway = {\n url = \"wss://h/node\"; secret_file = \"/nowhere/secret\";\n "
		     "ca_file = "
		     "\"/nowhere/ca\";\n};\n"
		     "voice = { tls = {\n certificate = \"/nowhere/c\";\n key = \"/nowhere/k\"; }; "
		     "};\n");
	assert_int_equal(run(line), 1);
	assert_non_null(strstr(err_text, "x.cfg:3: gateway.secret_file: the secret file "
					 "/nowhere/secret cannot be read: No such file"));
	assert_non_null(strstr(err_text, "x.cfg:4: gateway.ca_file: found \"/nowhere/ca\", which "
					 "cannot be read: No such file"));
	assert_non_null(strstr(err_text, "x.cfg:7: voice.tls.certificate: found \"/nowhere/c\""));
	assert_non_null(strstr(err_text, "x.cfg:8: voice.tls.key: found \"/nowhere/k\""));
	assert_non_null(strstr(err_text, "4 problems\n"));
	assert_string_equal(out_text, "");

	snprintf(text, sizeof(text), "gateway = { secret_file = \"%s\"; };\n", directory);
	write_config(text);
	assert_int_equal(run(line), 1);
	assert_non_null(strstr(err_text, "cannot be read: Is a directory"));
	snprintf(line, sizeof(line), "voicenode config check --gateway %s/x.cfg", directory);
	write_config("gateway = {\n tls = { certificate = \"/nowhere/c\"; key = \"/dev/null\"; "
		     "};\n};\n");
	assert_int_equal(run(line), 1);
	assert_non_null(strstr(err_text, "x.cfg:2: gateway.tls.certificate: found \"/nowhere/c\""));
	assert_non_null(strstr(err_text, "1 problem\n"));
}

// What is wrong in the file and what is wrong with its files comes in one go.
static void config_check_opens_files_also_of_a_wrong_file(void **state)
{
	char line[160];
	(void)state;

	snprintf(line, sizeof(line), "voicenode config check %s/x.cfg", directory);
	write_config("limits = { guilds = 0; };\n"
		     "gateway = { secret_file = \"/nowhere/secret\"; };\n"
		     "voice = { tls = { certificate = \"/nowhere/c\"; }; };\n"
		     "control = { socket = \"/nowhere/node.sock\"; };\n");
	assert_int_equal(run(line), 1);
	assert_non_null(strstr(err_text, "x.cfg:1: limits.guilds: 0 is below 1"));
	assert_non_null(strstr(err_text, "x.cfg:2: gateway.secret_file: the secret file"));
	assert_non_null(strstr(err_text, "x.cfg:3: voice.tls.certificate: found \"/nowhere/c\""));
	assert_non_null(strstr(err_text, "x.cfg:3: voice.tls.certificate: found without"));
	assert_non_null(strstr(err_text, "x.cfg:4: control.socket: found \"/nowhere/node.sock\", "
					 "but its folder cannot be used: No such file"));
	snprintf(line, sizeof(line), "voicenode config check --gateway %s/x.cfg", directory);
	write_config("gateway = { ping_ms = 0; tls = { certificate = \"/nowhere/c\"; key = "
		     "\"/nowhere/k\"; };\n node_secrets_file = \"/nowhere/s\"; };\n");
	assert_int_equal(run(line), 1);
	assert_non_null(strstr(err_text, "x.cfg:1: gateway.ping_ms: 0 is below"));
	assert_non_null(strstr(err_text, "x.cfg:1: gateway.tls.certificate: found \"/nowhere/c\""));
	assert_non_null(
		strstr(err_text, "x.cfg:2: gateway.node_secrets_file: found \"/nowhere/s\""));
}

static void what_may_be_meant_is_a_warning(void **state)
{
	char line[160], path[96];
	(void)state;

	snprintf(line, sizeof(line), "voicenode config check %s/x.cfg", directory);
	write_config_with_secret( // and everybody may read it
		"network = { device = \"tap:x\"; addresses = [ \"192.0.2.1/24\" ];\n"
		"media_ports = \"50000-50063\"; };\n"
		"gateway = { secret_file = \"/etc/voicenode/node-secret\";\n"
		"ca_file = \"/nowhere\"; url = \"ws://h/node\"; };\n"
		"memory = {\nhugepages = \"required\"; mbufs = 262144; };\n");
	snprintf(path, sizeof(path), "%s/x.cfg", directory);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(run(line), 0);
	assert_non_null(strstr(err_text, "x.cfg:4: warning: gateway.secret_file: found "));
	assert_non_null(strstr(err_text, "which every user of this machine can read; chmod 600"));
	assert_non_null(strstr(err_text, "x.cfg:5: warning: gateway.ca_file: found \"/nowhere\", "
					 "which is not looked at"));
	assert_non_null(strstr(err_text, "x.cfg:7: warning: memory.hugepages: found \"required\""));
	if (sysconf(_SC_NPROCESSORS_ONLN) < 64)
		assert_non_null(strstr(err_text, "warning: workers.cores: found \"auto\" for 64 "
						 "workers, which share core "));
}

static void a_missing_interface_is_a_warning(void **state)
{
	static const char secret[] =
		"gateway = { secret_file = \"/etc/voicenode/node-secret\"; };\n";
	char line[160], text[512];
	(void)state;

	snprintf(line, sizeof(line), "voicenode config check %s/x.cfg", directory);
	snprintf(text, sizeof(text), "%snetwork = {\n device = \"auto:nowhere0\"; };\n", secret);
	write_config_with_secret(text);
	assert_int_equal(run(line), 0);
	assert_non_null(strstr(err_text, "x.cfg:4: warning: network.device: found "
					 "\"auto:nowhere0\", but this machine has no "
					 "interface nowhere0 (it has: "));
	assert_non_null(strstr(out_text, "x.cfg: no problems, 1 warning\n"));
	snprintf(text, sizeof(text),
		"%snetwork = { device = \"pci:ffff:ff:1f.7\"; addresses = [ \"192.0.2.1/24\" ]; "
		"};\n",
		secret);
	write_config_with_secret(text);
	assert_int_equal(run(line), 0);
	assert_non_null(
		strstr(err_text, "warning: network.device: found \"pci:ffff:ff:1f.7\", but"));
	snprintf(text, sizeof(text),
		"%snetwork = { device = \"tap:x\"; addresses = [ \"192.0.2.1/24\" ]; };\n", secret);
	write_config_with_secret(text);
	assert_int_equal(run(line), 0);
	assert_string_equal(err_text, "");
	assert_non_null(strstr(out_text, "x.cfg: no problems\n"));
}

static void config_check_tells_all_on_stderr(void **state)
{
	char line[160];
	(void)state;

	write_config_with_secret("limits = { sessions = 0; legs = \"a\"; };\n"
				 "gateway = { secret_file = \"/etc/voicenode/node-secret\"; };\n");
	snprintf(line, sizeof(line), "voicenode config check %s/x.cfg", directory);
	assert_int_equal(run(line), 1);
	assert_string_equal(out_text, "");
	assert_non_null(strstr(err_text, "x.cfg:2: limits.sessions: 0 is below 1"));
	assert_non_null(strstr(err_text, "x.cfg:2: limits.legs: found \"a\""));
	assert_non_null(strstr(err_text, "2 problems"));

	assert_int_equal(run("voicenode config check /nowhere/x.cfg"), 1);
	assert_non_null(strstr(err_text, "/nowhere/x.cfg: cannot be read"));
}

static void a_missing_node_is_one_sentence(void **state)
{
	char line[256], expected[256];
	int fd;
	(void)state;

	snprintf(line, sizeof(line), "voicenode status --socket %s", socket_path);
	snprintf(expected, sizeof(expected),
		"voicenode: no node answers on %s: start it with voicenode run, or name another "
		"with --socket\n",
		socket_path);
	assert_int_equal(run(line), 1);
	assert_string_equal(err_text, expected);
	assert_string_equal(out_text, "");
	// A socket that a dead node left behind.
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(run(line), 1);
	assert_string_equal(err_text, expected);
}

static void the_question_is_one_line_of_json(void **state)
{
	json_t *reply = NULL;
	char *text = NULL, why[256];
	pid_t child = serve(NULL, 0, 0);
	(void)state;

	assert_int_equal(
		operator_ask(socket_path, "status", 5000, &reply, &text, why, sizeof(why)), 0);
	end_of(child);
	assert_string_equal(text, "{\"cmd\":\"status\"}");
	assert_string_equal(json_string_value(json_object_get(reply, "cmd")), "status");
	json_decref(reply);
	free(text);
}

static void expect_refusal(
	const char *answer, size_t answer_size, unsigned delay_ms, int error, const char *sentence)
{
	json_t *reply = NULL;
	char why[256];
	pid_t child = serve(answer, answer_size, delay_ms);
	int result = operator_ask(socket_path, "status", 300, &reply, NULL, why, sizeof(why));

	assert_int_equal(result, error);
	assert_non_null(strstr(why, sentence));
	assert_null(strchr(why, '\n'));
	assert_null(reply);
	end_of(child);
}

static void bad_answers_are_sentences(void **state)
{
	(void)state;
	expect_refusal("", 0, 0, -EPROTO, "no node of this version");
	expect_refusal("{\"node\":", 8, 0, -EPROTO, "no node of this version");
	expect_refusal("[]\n", 3, 0, -EPROTO, "no node of this version");
	expect_refusal("{}\0x\n", 5, 0, -EPROTO, "no node of this version");
	expect_refusal("{\"error\":\"unknown cmd\"}\n", 24, 0, -EREMOTEIO, "refuses: unknown cmd");
	expect_refusal("{}\n", 3, 700, -ETIMEDOUT, "does not answer");
}

static const char status_reply[] =
	"{\"node\":\"n1\",\"region\":\"local\",\"version\":\"0.1.0\",\"state\":\"serving\","
	"\"uptime_s\":273600,\"device\":{\"driver\":\"net_af_packet\",\"name\":\"veth0\",\"rung\":"
	"\"afpacket\",\"steering\":\"software\",\"crypto\":\"avx2\",\"drops_countable\":false},"
	"\"gateway\":{"
	"\"connected\":true,\"url\":\"ws://127.0.0.1:8480/node\",\"ping_ms\":1000},\"dataplane\":{"
	"\"up\":true,\"epoch\":3,\"restarts\":1},\"control\":{\"restarts\":4},\"workers\":[{"
	"\"worker\":0,\"core\":0,\"port\":"
	"50000,"
	"\"turning\":true,\"guilds\":1,\"sessions\":4,\"received\":1234567,\"sent\":"
	"9007199254740993,"
	"\"dropped\":3,\"busy_ratio\":0.314,\"capacity_pps\":14400000,\"budget_pps\":12600000,"
	"\"used_pps\":9150},{\"worker\":1,\"core\":1,"
	"\"port\":50001,\"turning\":"
	"false,\"guilds\":0,\"sessions\":0,\"received\":0,\"sent\":0,\"dropped\":0,\"busy_ratio\":"
	"0}],"
	"\"drops\":{\"rtp_short\":2,\"no_session\":12,\"srtp_replay\":0}}\n";

static const char status_text[] =
	"n1  serving  up 3 d 4 h  region local  voicenode 0.1.0\n"
	"device   net_af_packet veth0, way afpacket, steering software, crypto avx2; it cannot "
	"count what it "
	"drops itself\n"
	"gateway  connected to ws://127.0.0.1:8480/node, pinged every 1000 ms\n"
	"engine   up, epoch 3, restarts 1; of control 4\n"
	"\n"
	"worker  core   port  turning  guilds  sessions   received                   sent  dropped "
	" "
	"busy  used/s    budget/s\n"
	"     0     0  50000      yes       1         4  1 234 567  9 007 199 254 740 993        3 "
	" "
	"31 %   9 150  12 600 000\n"
	"     1     1  50001       NO       0         0          0                      0        0 "
	"  "
	"0 %       0           0\n"
	"\n"
	"drops    no_session 12  rtp_short 2\n";

static void status_is_a_table_or_the_reply_itself(void **state)
{
	char line[256];
	pid_t child = serve(status_reply, sizeof(status_reply) - 1, 0);
	(void)state;

	snprintf(line, sizeof(line), "voicenode status --socket %s", socket_path);
	assert_int_equal(run(line), 0);
	end_of(child);
	assert_string_equal(out_text, status_text);
	child = serve(status_reply, sizeof(status_reply) - 1, 0);
	snprintf(line, sizeof(line), "voicenode status --json --socket %s", socket_path);
	assert_int_equal(run(line), 0);
	end_of(child);
	assert_string_equal(out_text, status_reply);
	assert_string_equal(err_text, "");
}

static void guilds_are_a_table(void **state)
{
	static const char reply[] =
		"{\"guilds\":[{\"guild\":\"18446744073709551615\",\"epoch\":1,\"worker\":0,"
		"\"members\":4,\"speakers\":2,\"packets_in\":100,\"packets_out\":300,\"channels\":"
		"1},"
		"{\"guild\":\"5\",\"epoch\":12,\"worker\":1,\"members\":1000,\"speakers\":0,"
		"\"packets_in\":0,\"packets_out\":0,\"channels\":2}]}";
	char line[256];
	pid_t child = serve(reply, sizeof(reply) - 1, 0); // no line's end: the connection's
	(void)state;

	snprintf(line, sizeof(line), "voicenode guilds --socket %s", socket_path);
	assert_int_equal(run(line), 0);
	end_of(child);
	assert_string_equal(out_text, "guild                 epoch  worker  channels  members  "
				      "speakers  packets in  packets "
				      "out\n"
				      "18446744073709551615      1       0         1        4      "
				      "   2         100          "
				      "300\n"
				      "5                        12       1         2    1 000      "
				      "   0           0          "
				      "  0\n");
	child = serve("{\"guilds\":[]}\n", 14, 0);
	assert_int_equal(run(line), 0);
	end_of(child);
	assert_non_null(strstr(out_text, "no guild"));
}

static void a_reply_that_lacks_everything_is_shown(void **state)
{
	static const char *const replies[] = {"{}", "{\"workers\":5,\"drops\":[],\"device\":\"x\"}",
		"{\"workers\":[5,{},null],\"drops\":{\"a\":\"b\"},\"node\":\"\\u001b[31m\"}"};
	(void)state;

	for (unsigned i = 0; i < 3; i++) {
		json_t *reply = json_loads(replies[i], 0, NULL);
		FILE *out = tmpfile();

		assert_non_null(reply);
		report_status(reply, out);
		report_guilds(reply, out);
		take(out, out_text, sizeof(out_text));
		assert_null(strchr(out_text, '\x1b'));
		assert_non_null(strstr(out_text, "drops    none\n"));
		json_decref(reply);
	}
}

static void large_replies_arrive_whole(void **state)
{
	char *reply, *text = NULL, why[256];
	size_t size = 3000000;
	json_t *parsed = NULL;
	pid_t child;
	(void)state;

	reply = malloc(size + 1);
	memset(reply, ' ', size);
	memcpy(reply, "{\"a\":1", 6);
	reply[size - 1] = '}';
	reply[size] = '\n';
	child = serve(reply, size + 1, 0);
	assert_int_equal(
		operator_ask(socket_path, "guilds", 5000, &parsed, &text, why, sizeof(why)), 0);
	end_of(child);
	assert_int_equal(strlen(text), size);
	json_decref(parsed);
	free(text);
	free(reply);
}

static void the_socket_may_come_from_the_configuration(void **state)
{
	char path[96], line[256];
	FILE *file;
	pid_t child;
	(void)state;

	snprintf(path, sizeof(path), "%s/x.cfg", directory);
	file = fopen(path, "w");
	fprintf(file, "control = { socket = \"%s\"; };\n", socket_path);
	fclose(file);
	child = serve("{}\n", 3, 0);
	snprintf(line, sizeof(line), "voicenode guilds --config %s --json", path);
	assert_int_equal(run(line), 0);
	end_of(child);
	assert_string_equal(out_text, "{}\n");
	assert_int_equal(run("voicenode guilds --config /nowhere"), 1);
	assert_non_null(strstr(err_text, "/nowhere: cannot be read"));
}

#define CLI_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLI_TEST(statuses_are_0_1_2),
		CLI_TEST(help_of_a_command_is_what_it_says_itself),
		CLI_TEST(config_default_checks_clean),
		CLI_TEST(config_check_opens_what_the_file_names),
		CLI_TEST(config_check_opens_files_also_of_a_wrong_file),
		CLI_TEST(what_may_be_meant_is_a_warning),
		CLI_TEST(a_missing_interface_is_a_warning),
		CLI_TEST(config_check_tells_all_on_stderr),
		CLI_TEST(a_missing_node_is_one_sentence),
		CLI_TEST(the_question_is_one_line_of_json),
		CLI_TEST(bad_answers_are_sentences),
		CLI_TEST(status_is_a_table_or_the_reply_itself),
		CLI_TEST(guilds_are_a_table),
		CLI_TEST(a_reply_that_lacks_everything_is_shown),
		CLI_TEST(large_replies_arrive_whole),
		CLI_TEST(the_socket_may_come_from_the_configuration),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
