// SPDX-License-Identifier: BSD-3-Clause
//
// The operator socket: what it answers, and what a bad or slow client can do to it (nothing).

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>
#include <jansson.h>

#include "operator/operator.h"
#include "support/fake_node.h"

static struct operator_server *server;
static struct loop_fd *listener;
static char path[64];

static int setup(void **state)
{
	char why[256] = "";

	(void)state;
	fake_node_create();
	snprintf(path, sizeof(path), "/tmp/operator_test.%d", (int)getpid());
	assert_int_equal(
		operator_server_create(NULL, path, &fake_view, &server, why, sizeof(why)), 0);
	listener = fake_last_watch;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	operator_server_destroy(server);
	assert_int_not_equal(access(path, F_OK), 0);
	fake_node_destroy();
	return 0;
}

static int connect_to(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	listener->fn(listener->arg, listener->fd, POLLIN);
	return fd;
}

// The answer to 'request' as the operator's end of the socket sees it. It is closed behind it.
static json_t *ask(const char *request)
{
	static char text[65536];
	int fd = connect_to();
	struct loop_fd *client = fake_last_watch;
	size_t size = 0;
	ssize_t got;
	json_t *answer;

	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	client->fn(client->arg, client->fd, POLLIN);
	while ((got = recv(fd, text + size, sizeof(text) - size, 0)) > 0)
		size += (size_t)got;
	assert_int_equal(got, 0);
	assert_true(size > 1 && text[size - 1] == '\n');
	assert_ptr_equal(memchr(text, '\n', size), text + size - 1); // one line
	close(fd);
	answer = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(answer);
	return answer;
}

static void status_has_every_member(void **state)
{
	static const char *const members[] = {"node", "region", "version", "state", "uptime_s",
		"device", "gateway", "dataplane", "control", "workers", "packets_in", "packets_out",
		"ledger", "drops"};
	static const char *const ledger_members[] = {"received", "handed_in", "forwarded",
		"answered", "consumed", "punted", "host", "handed_out", "no_receiver", "dropped",
		"jobs", "originated", "sent", "not_sent", "balanced"};
	struct dp_worker_shm *worker = dp_shm_worker(fake_shm, 1);
	json_t *status, *workers, *drops;

	(void)state;
	worker->counters[DP_COUNTER_RECEIVED] = 7;
	fake_device.capacity_pps[1] = 14400000;
	fake_device.queue_count = 2;
	registry_set_capacity(fake_registry, 1, 14400000);
	worker->verdicts[DP_MUTED] = 4;
	worker->verdicts[DP_FORWARDED] = 3;
	worker->verdicts[DP_NO_MBUF] = 1;
	worker->counters[DP_COUNTER_JOBS] = 1;
	status = ask("{\"cmd\":\"status\"}\n");
	for (unsigned index = 0; index < sizeof(members) / sizeof(members[0]); index++)
		assert_non_null(json_object_get(status, members[index]));
	for (unsigned index = 0; index < sizeof(ledger_members) / sizeof(ledger_members[0]);
		index++)
		assert_non_null(
			json_object_get(json_object_get(status, "ledger"), ledger_members[index]));
	assert_string_equal(json_string_value(json_object_get(status, "node")), "node\"1\\");
	assert_true(json_is_true(json_object_get(json_object_get(status, "ledger"), "balanced")));
	assert_int_equal(json_integer_value(json_object_get(status, "packets_in")), 7);
	workers = json_object_get(status, "workers");
	assert_int_equal(json_array_size(workers), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(workers, 1), "port")), 50001);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(workers, 1), "dropped")), 5);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(workers, 1), "capacity_pps")),
		14400000);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(workers, 1), "budget_pps")),
		12600000);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(workers, 1), "used_pps")), 0);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(status, "device"), "queues")),
		2);
	drops = json_object_get(status, "drops");
	assert_int_equal(json_object_size(drops), 2); // those that are not 0
	assert_int_equal(json_integer_value(json_object_get(drops, "muted")), 4);
	assert_int_equal(json_integer_value(json_object_get(drops, "no_mbuf")), 1);
	json_decref(status);
}

static void guilds_count_members_speakers_channels(void **state)
{
	struct guild *guild = registry_guild_find(fake_registry, 1100000000000000100ull);
	struct dp_guild_shm *slot =
		dp_shm_guilds(fake_shm, guild->worker) + registry_guild_home(guild)->index;
	json_t *answer, *found = NULL, *item;
	const struct room_part *elsewhere;
	size_t index;

	(void)state;
	fake_member(1, 100, 1);
	fake_member(2, 100, 0);
	fake_member(3, 200, 2);
	*slot = (struct dp_guild_shm){
		.generation = guild->intent->generation, .packets_in = 50, .packets_out = 99};
	elsewhere = registry_room_part_get(fake_registry, guild, 1 - guild->worker, 100);
	assert_non_null(elsewhere);
	dp_shm_guilds(fake_shm, 1 - guild->worker)[elsewhere->guild->index] =
		(struct dp_guild_shm){.generation = elsewhere->guild->intent->generation,
			.packets_in = 1,
			.packets_out = 5};
	answer = ask("{\"cmd\":\"guilds\"}\n");
	json_array_foreach(json_object_get(answer, "guilds"), index, item)
	{
		const char *id = json_string_value(json_object_get(item, "guild"));

		if (strcmp(id, "1100000000000000100") == 0)
			found = item;
	}
	assert_int_equal(json_integer_value(json_object_get(found, "epoch")), 7);
	assert_int_equal(json_integer_value(json_object_get(found, "members")), 3);
	assert_int_equal(json_integer_value(json_object_get(found, "speakers")), 2);
	assert_int_equal(json_integer_value(json_object_get(found, "channels")), 2);
	assert_int_equal(json_integer_value(json_object_get(found, "packets_in")), 51);
	assert_int_equal(json_integer_value(json_object_get(found, "packets_out")), 104);
	found = json_object_get(found, "workers");
	assert_int_equal(json_array_size(found), 2);
	assert_int_equal(json_integer_value(json_array_get(found, 0)), guild->worker); // home
	json_decref(answer);
}

static void nonsense_is_answered_with_an_error(void **state)
{
	static const char *const requests[] = {"\n", "x\n", "{}\n", "[]\n", "{\"cmd\":1}\n",
		"{\"cmd\":\"reboot\"}\n", "{\"cmd\":\"status\",\"cmd\":\"guilds\"}\n"};

	(void)state;
	for (unsigned index = 0; index < sizeof(requests) / sizeof(requests[0]); index++) {
		json_t *answer = ask(requests[index]);

		assert_true(json_is_string(json_object_get(answer, "error")));
		json_decref(answer);
	}
}

static void a_client_that_says_nothing_is_dropped(void **state)
{
	char byte;
	int fd = connect_to();

	(void)state;
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	fake_loop_pass(OPERATOR_TIMEOUT_MS + 100, 100);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

static void the_number_of_clients_is_bounded(void **state)
{
	int fds[OPERATOR_CLIENTS_MAX], extra;
	char byte;

	(void)state;
	for (unsigned index = 0; index < OPERATOR_CLIENTS_MAX; index++)
		fds[index] = connect_to();
	extra = connect_to();
	assert_int_equal(recv(extra, &byte, 1, MSG_DONTWAIT), 0);
	close(extra);
	fake_loop_pass(OPERATOR_TIMEOUT_MS + 100, 100);
	json_decref(ask("{\"cmd\":\"status\"}\n"));
	for (unsigned index = 0; index < OPERATOR_CLIENTS_MAX; index++)
		close(fds[index]);
}

static void a_line_without_end_is_dropped(void **state)
{
	static char line[OPERATOR_LINE_SIZE_MAX];
	int fd = connect_to();
	struct loop_fd *client = fake_last_watch;
	char byte;

	(void)state;
	memset(line, 'x', sizeof(line));
	assert_int_equal(send(fd, line, sizeof(line), 0), sizeof(line));
	client->fn(client->arg, client->fd, POLLIN);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

// Its answer waits for room in the socket: what else it sends, and that it is done sending, is no
// reason to be woken. Watched for reading, the socket would be ready for ever.
static void who_waits_for_its_answer_is_not_read(void **state)
{
	static const char request[] = "{\"cmd\":\"status\"}\n";
	char junk[4096] = {0};
	int fd = connect_to();
	struct loop_fd *client = fake_last_watch;
	ssize_t got;

	(void)state;
	while (send(client->fd, junk, sizeof(junk), MSG_DONTWAIT) > 0) {
	}
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	client->fn(client->arg, client->fd, POLLIN);
	assert_int_equal(client->events, POLLOUT);
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	shutdown(fd, SHUT_WR);
	client->fn(client->arg, client->fd, POLLOUT);
	assert_int_equal(client->events, POLLOUT);
	do { // it reads everything, and gets its answer
		got = recv(fd, junk, sizeof(junk), MSG_DONTWAIT);
	} while (got > 0);
	client->fn(client->arg, client->fd, POLLOUT);
	got = recv(fd, junk, sizeof(junk), MSG_DONTWAIT);
	assert_true(got > 1 && junk[0] == '{' && junk[got - 1] == '\n');
	close(fd);
}

static void without_descriptors_nobody_is_accepted_for_a_while(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct rlimit limit, none;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	listener->fn(listener->arg, listener->fd, POLLIN);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(listener->events, 0);
	fake_loop_pass(1000, 100);
	assert_int_equal(listener->events, POLLIN);
	close(fd);
}

static void only_owner_and_group_may_ask(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void a_file_that_is_no_socket_stays(void **state)
{
	char file[] = "/tmp/voicenode-operator-XXXXXX", why[256];
	struct operator_server *other;
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(
		operator_server_create(NULL, file, &fake_view, &other, why, sizeof(why)), -EEXIST);
	assert_non_null(strstr(why, file));
	assert_int_equal(access(file, F_OK), 0);
	unlink(file);
}

static void a_living_socket_is_not_taken_and_a_stale_one_is(void **state)
{
	struct operator_server *other;
	char why[256];

	(void)state;
	assert_int_equal(operator_server_create(NULL, path, &fake_view, &other, why, sizeof(why)),
		-EADDRINUSE);
	assert_non_null(strstr(why, path));
	// A killed process leaves its file behind.
	close(listener->fd);
	assert_int_equal(
		operator_server_create(NULL, path, &fake_view, &other, why, sizeof(why)), 0);
	operator_server_destroy(other);
	listener->fd = dup(0); // for the teardown to close
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_has_every_member),
		TEST(guilds_count_members_speakers_channels),
		TEST(nonsense_is_answered_with_an_error),
		TEST(a_client_that_says_nothing_is_dropped),
		TEST(the_number_of_clients_is_bounded),
		TEST(a_line_without_end_is_dropped),
		TEST(who_waits_for_its_answer_is_not_read),
		TEST(without_descriptors_nobody_is_accepted_for_a_while),
		TEST(only_owner_and_group_may_ask),
		TEST(a_file_that_is_no_socket_stays),
		TEST(a_living_socket_is_not_taken_and_a_stale_one_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
