// SPDX-License-Identifier: BSD-3-Clause
//
// The talkers of a measurement on a real wire (bench/janus.sh): many UDP sockets that send sealed
// or plain RTP on schedule. Nothing is received but answers to IP discovery: who measures counts
// the copies at the wire.
//
// usage: wire_talk ADDRESS PORT STEP TALKERS SLOTS SSRC PAYLOAD SUITE|plain
// Talker n sends to PORT + n * STEP under the SSRC of slot n * SLOTS, which is SSRC + 16 * slot,
// and slot's key; STEP 0: a node's worker. Commands on stdin, each answered by one line:
//   discover FIRST COUNT   IP discovery from port 20000 + slot     "discovered N"
//   talk RATE MS           RATE packets a second of each talker    "sent N late_us P99"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/dp_limits.h"
#include "crypto/iv.h"
#include "crypto/suite.h"
#include "seal_only.h"

#define TALKERS_MAX 1000u
#define FIRST_RECEIVER_PORT 20000u
#define HEADER_SIZE 12
#define DISCOVERY_TRIES 5
#define DISCOVERY_MS 200
#define LATE_SAMPLES_MAX 1000000u

struct talker {
	int fd;
	uint32_t ssrc, index, timestamp, suffix;
	struct suite_key key;
};

static struct {
	struct sockaddr_in target;
	unsigned step, count, slots, ssrc, payload;
	const struct suite *suite; // NULL: plain
	struct crypto_engine *crypto;
	struct talker *talkers;
	double *late; // us, of each packet of the last command
} wire;

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static struct sockaddr_in port_of(unsigned offset)
{
	struct sockaddr_in target = wire.target;

	target.sin_port = htons((uint16_t)(ntohs(target.sin_port) + offset));
	return target;
}

// One slot's IP discovery, from the port that its packets shall come to.
static bool discover(unsigned slot)
{
	struct sockaddr_in own = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)(FIRST_RECEIVER_PORT + slot))};
	uint8_t request[DP_IP_DISCOVERY_SIZE] = {0, 1, 0, DP_IP_DISCOVERY_SIZE - 4}, answer[2048];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good = false;

	put32(request + 4, wire.ssrc + slot * DP_SSRCS_PER_SESSION);
	if (fd < 0 || bind(fd, (const void *)&own, sizeof(own)) != 0) {
		perror("wire_talk: receiver");
		exit(EXIT_FAILURE);
	}
	for (unsigned i = 0; i < DISCOVERY_TRIES && !good; i++) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		(void)sendto(fd, request, sizeof(request), 0, (const void *)&wire.target,
			sizeof(wire.target));
		good = poll(&ready, 1, DISCOVERY_MS) > 0 &&
		       recv(fd, answer, sizeof(answer), 0) == DP_IP_DISCOVERY_SIZE;
	}
	close(fd);
	return good;
}

static void open_talkers(void)
{
	wire.talkers = aligned_alloc(alignof(struct talker), wire.count * sizeof(struct talker));
	wire.late = calloc(LATE_SAMPLES_MAX, sizeof(wire.late[0]));
	if (wire.talkers == NULL || wire.late == NULL) {
		abort();
	}
	for (unsigned i = 0; i < wire.count; i++) {
		struct sockaddr_in target = port_of(i * wire.step);
		struct talker *t = &wire.talkers[i];
		unsigned slot = i * wire.slots;
		uint8_t key[DP_KEY_SIZE_MAX] = {0}, salt[DP_SALT_SIZE_MAX] = {0};

		*t = (struct talker){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
			.ssrc = wire.ssrc + slot * DP_SSRCS_PER_SESSION};
		memcpy(key, &slot, sizeof(slot));
		if (t->fd < 0 || connect(t->fd, (const void *)&target, sizeof(target)) != 0 ||
			(wire.suite != NULL &&
				wire.suite->key_expand(wire.crypto, &t->key, key, salt) != 0)) {
			fprintf(stderr, "wire_talk: talker %u: %s\n", i, strerror(errno));
			exit(EXIT_FAILURE);
		}
	}
}

static void say(struct talker *t)
{
	uint8_t packet[DP_PAYLOAD_SIZE_MAX + 64], clear[DP_PAYLOAD_SIZE_MAX];
	unsigned size = HEADER_SIZE + wire.payload;
	struct seal_job job = {.key = &t->key,
		.src = clear,
		.dst = packet + HEADER_SIZE,
		.aad = packet,
		.src_size = (uint16_t)wire.payload,
		.aad_size = HEADER_SIZE};

	memset(clear, 0x5a, wire.payload);
	put32(packet, 0x80000000u | DP_OPUS_PAYLOAD_TYPE << 16 | (t->index & UINT16_MAX));
	put32(packet + 4, t->timestamp += 960);
	put32(packet + 8, t->ssrc);
	if (wire.suite == NULL) {
		memcpy(packet + HEADER_SIZE, clear, wire.payload);
	} else {
		if (wire.suite->salt_size == 0) {
			put32(job.iv, t->suffix++);
		} else {
			iv_srtp(job.iv, wire.suite->id, t->ssrc, t->index);
		}
		wire.suite->seal(wire.crypto, &(struct seal_job *){&job}, 1);
		size += wire.suite->overhead;
	}
	t->index++;
	(void)send(t->fd, packet, size, 0); // unreachable: what it costs shows at the wire
}

static double now_us(void)
{
	return bench_now_ns() / 1000;
}

// Open loop: a packet is due when it is due, and how late it went is told.
static void talk(unsigned rate, unsigned ms)
{
	uint64_t count = (uint64_t)wire.count * rate * ms / 1000, sent = 0;
	double gap_us = 1e6 / ((double)wire.count * rate), start = now_us();
	struct seal_cost cost = {0};
	unsigned samples = 0;

	for (; sent < count; sent++) {
		double due = start + gap_us * (double)sent, now = now_us();

		while (now < due) {
			if (due - now > 200) {
				struct timespec nap = {.tv_nsec = (long)((due - now - 100) * 1000)};

				nanosleep(&nap, NULL);
			}
			now = now_us();
		}
		if (samples < LATE_SAMPLES_MAX) {
			wire.late[samples++] = now - due;
		}
		say(&wire.talkers[sent % wire.count]);
	}
	if (samples > 0) {
		seal_cost_fill(&cost, wire.late, samples);
		cost.median = wire.late[samples - 1 - samples / 100];
	}
	printf("sent %llu late_us %.0f\n", (unsigned long long)sent, cost.median);
}

static void serve(void)
{
	char line[128];
	unsigned a, b;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "discover %u %u", &a, &b) == 2) {
			unsigned found = 0;

			for (unsigned slot = a; slot < a + b; slot++) {
				found += discover(slot);
			}
			printf("discovered %u\n", found);
		} else if (sscanf(line, "talk %u %u", &a, &b) == 2 && a > 0) {
			talk(a, b);
		} else {
			printf("what: %s", line);
		}
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	if (argc != 9) {
		fprintf(stderr, "usage: wire_talk ADDRESS PORT STEP TALKERS SLOTS SSRC PAYLOAD"
				" SUITE|plain\n");
		return 2;
	}
	wire.target = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10))};
	wire.step = (unsigned)strtoul(argv[3], NULL, 10);
	wire.count = (unsigned)strtoul(argv[4], NULL, 10);
	wire.slots = (unsigned)strtoul(argv[5], NULL, 10);
	wire.ssrc = (unsigned)strtoul(argv[6], NULL, 10);
	wire.payload = (unsigned)strtoul(argv[7], NULL, 10);
	wire.suite = suite_by_name(argv[8]);
	if (inet_pton(AF_INET, argv[1], &wire.target.sin_addr) != 1 || wire.count == 0 ||
		wire.count > TALKERS_MAX || wire.payload > DP_PAYLOAD_SIZE_MAX - 64 ||
		(wire.suite == NULL && strcmp(argv[8], "plain") != 0)) {
		fprintf(stderr,
			"wire_talk: an IPv4 address, 1 to %u talkers, a payload of at most"
			" %u and a suite or \"plain\" are allowed\n",
			TALKERS_MAX, DP_PAYLOAD_SIZE_MAX - 64);
		return 2;
	}
	if (wire.suite != NULL) {
		wire.crypto = crypto_engine_create(CRYPTO_ENGINE_AUTO, NULL, 0);
		if (wire.crypto == NULL) {
			fprintf(stderr, "wire_talk: no cipher engine on this CPU\n");
			return EXIT_FAILURE;
		}
	}
	open_talkers();
	serve();
	crypto_engine_destroy(wire.crypto);
	return EXIT_SUCCESS;
}
