// SPDX-License-Identifier: BSD-3-Clause
//
// A node's way into the gateway over loopback: what somebody may make the gateway hold before its
// secret is known, and that the node's own client says it early enough for a register with as many
// guilds as there may be.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "gateway/gateway.h"
#include "http/ws.h"
#include "json/json.h"
#include "loop/loop.h"
#include "register/gateway_client.h"

#define TOO_LATE_MS 20000u
#define STRANGER_SIZE 65536u

static const char config_text[] =
	"gateway = { listen = \"127.0.0.1:18480\"; node_secrets = [ \"sesame\" ]; };\n"
	"users = ( { id = \"1\"; name = \"ann\"; bot = true; token = \"t1\"; } );\n"
	"guilds = ( { id = \"1000\"; name = \"one\"; channels = ( { id = \"11\"; name = \"a\"; } "
	");\n"
	"    members = [ \"1\" ]; moderators = [ ]; } );\n";

static struct gateway_config config;
static struct gateway *gateway;
static struct loop *loop;
static struct loop_timer late;
static char url[64], secret_path[64];

// What the raw node saw.
static const char *say;
static size_t say_size;
static uint16_t code;
static bool is_registered;

static void too_late(void *arg)
{
	(void)arg;
	loop_stop(loop, -ETIMEDOUT);
}

static int setup(void **state)
{
	struct config_problems problems = {0};
	char why[256];

	(void)state;
	if (gateway_config_parse(
		    "test", config_text, sizeof(config_text) - 1, &config, &problems) != 0)
		fail_msg("%s", problems.text);
	config.listen_at.port = 0;
	config.socket[0] = '\0';
	loop = loop_create();
	assert_non_null(loop);
	if (gateway_create(loop, &config, &gateway, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%u/node", gateway_port(gateway));
	loop_timer_init(loop, &late, too_late, NULL);
	loop_timer_set(&late, TOO_LATE_MS);
	code = 0;
	is_registered = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gateway_stop(gateway);
	loop_destroy(loop);
	gateway_destroy(gateway);
	gateway_config_free(&config);
	return 0;
}

// --- a node by hand ---

static void *raw_open(void *ctx, struct ws_conn *conn, const struct ws_request *request)
{
	(void)ctx, (void)request;
	if (say != NULL)
		(void)!ws_conn_send(conn, say, say_size, false);
	return loop;
}

static void raw_message(void *ctx, const char *data, size_t size, bool binary)
{
	(void)ctx, (void)size, (void)binary;
	is_registered = strstr(data, "\"registered\"") != NULL;
	loop_stop(loop, 0);
}

static void raw_closed(void *ctx, uint16_t close_code)
{
	(void)ctx;
	code = close_code;
	loop_stop(loop, 0);
}

static void raw_failed(void *ctx, const char *why)
{
	(void)ctx;
	fail_msg("%s", why);
}

// Says a frame of 'size' bytes after an upgrade with this header, until it is closed or answered.
static void raw(const char *authorization, char *text, size_t size)
{
	static const struct ws_handler handler = {.open = raw_open,
		.message = raw_message,
		.closed = raw_closed,
		.failed = raw_failed};
	const struct ws_client_params params = {.url = url,
		.authorization = authorization,
		.handler = &handler,
		.message_size_max = NODE_MESSAGE_SIZE_MAX,
		.queue_size_max = 2 * NODE_MESSAGE_SIZE_MAX};

	say = text;
	say_size = size;
	code = 0;
	assert_int_equal(ws_client_connect(loop, &params), 0);
	assert_int_equal(loop_run(loop), 0);
	loop_timer_set(&late, TOO_LATE_MS);
}

// A register, made longer by spaces to exactly 'size' bytes.
static void raw_register(const char *authorization, const char *secret, size_t size)
{
	struct node_msg msg = {
		.op = NODE_OP_REGISTER, .contract = NODE_CONTRACT, .worker_count = 1};
	char *text = malloc(size), *encoded;

	snprintf(msg.name, sizeof(msg.name), "n1");
	snprintf(msg.region, sizeof(msg.region), "r");
	snprintf(msg.secret, sizeof(msg.secret), "%s", secret);
	snprintf(msg.endpoint, sizeof(msg.endpoint), "n1.test:443");
	encoded = node_msg_encode(&msg);
	assert_true(text != NULL && encoded != NULL && strlen(encoded) <= size);
	memset(text, ' ', size);
	memcpy(text, encoded, strlen(encoded));
	json_text_free(encoded);
	raw(authorization, text, size);
	free(text);
}

static void without_the_secret_a_frame_is_short(void **state)
{
	(void)state;
	raw_register(NULL, "sesame", STRANGER_SIZE + 1);
	assert_int_equal(code, 1009);
	raw_register("Bot t1", "sesame", STRANGER_SIZE + 1);
	assert_int_equal(code, 1009);
	raw_register(NULL, "sesame", STRANGER_SIZE);
	assert_true(is_registered);
}

static void a_wrong_secret_in_the_header_is_not_heard_further(void **state)
{
	(void)state;
	raw(NODE_AUTHORIZATION "guess", NULL, 0); // before it says anything
	assert_int_equal(code, NODE_CLOSE_BAD_SECRET);
	raw(NODE_AUTHORIZATION, NULL, 0);
	assert_int_equal(code, NODE_CLOSE_BAD_SECRET);
	raw_register(NODE_AUTHORIZATION "guess", "sesame", 1000);
	assert_int_equal(code, NODE_CLOSE_BAD_SECRET);
	assert_false(is_registered);
	raw_register(NODE_AUTHORIZATION "sesame", "guess", 1000); // both are looked at
	assert_int_equal(code, NODE_CLOSE_BAD_SECRET);
}

static void with_the_secret_a_register_may_be_long(void **state)
{
	(void)state;
	raw_register(NODE_AUTHORIZATION "sesame", "sesame", NODE_MESSAGE_SIZE_MAX);
	assert_true(is_registered);
}

// --- the node's own client ---

static int fill_register(void *ctx, struct node_msg *msg)
{
	(void)ctx;
	snprintf(msg->name, sizeof(msg->name), "n1");
	snprintf(msg->region, sizeof(msg->region), "r");
	snprintf(msg->endpoint, sizeof(msg->endpoint), "n1.test:443");
	msg->worker_count = 1;
	msg->guild_count = NODE_GUILDS_MAX;
	msg->guilds = calloc(NODE_GUILDS_MAX, sizeof(*msg->guilds));
	assert_non_null(msg->guilds);
	for (unsigned i = 0; i < NODE_GUILDS_MAX; i++)
		msg->guilds[i] = (struct node_guild){UINT64_MAX - i, 1};
	return 0;
}

static void registered(void *ctx, const struct node_msg *msg)
{
	(void)ctx, (void)msg;
	is_registered = true;
	loop_stop(loop, 0);
}

static void command(void *ctx, const struct node_msg *msg)
{
	(void)ctx, (void)msg;
}

static bool is_alive(void *ctx)
{
	(void)ctx;
	return true;
}

static struct gateway_client *client_begin(void)
{
	struct gateway_client_params params = {.loop = loop,
		.url = url,
		.secret_path = secret_path,
		.handler = {.fill_register = fill_register,
			.registered = registered,
			.command = command,
			.is_alive = is_alive}};
	struct gateway_client *client;
	int fd;

	snprintf(secret_path, sizeof(secret_path), "/tmp/gateway_node_test_XXXXXX");
	fd = mkstemp(secret_path);
	assert_int_equal(write(fd, "sesame\n", 7), 7);
	close(fd);
	assert_int_equal(gateway_client_create(&params, &client), 0);
	gateway_client_start(client);
	assert_int_equal(loop_run(loop), 0);
	assert_true(is_registered);
	loop_timer_set(&late, TOO_LATE_MS);
	return client;
}

static void client_end(struct gateway_client *client)
{
	gateway_stop(gateway);
	while (gateway_client_is_registered(client)) { // it may go only between two connections
		loop_timer_set(&late, 1);
		(void)loop_run(loop);
	}
	gateway_client_destroy(client);
	unlink(secret_path);
}

static void a_node_registers_all_the_guilds_that_there_may_be(void **state)
{
	(void)state;
	client_end(client_begin());
}

static void a_name_is_not_taken_from_a_node_that_answers(void **state)
{
	struct gateway_client *client = client_begin();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		raw_register(NULL, "sesame", 1000);
		assert_int_equal(code, NODE_CLOSE_NAME_TAKEN);
		assert_true(gateway_client_is_registered(client));
	}
	assert_int_equal(gateway_client_stats(client)->connects, 1);
	client_end(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_the_secret_a_frame_is_short),
		TEST(a_wrong_secret_in_the_header_is_not_heard_further),
		TEST(with_the_secret_a_register_may_be_long),
		TEST(a_node_registers_all_the_guilds_that_there_may_be),
		TEST(a_name_is_not_taken_from_a_node_that_answers),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
