// SPDX-License-Identifier: BSD-3-Clause
//
// recvmmsg over the bots' sockets, with the kernel's time stamps.
#include "load/receive.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "load/swarm.h"
#include "load/verify.h"

#define BATCH_COUNT 32u     // datagrams of one system call
#define READY_COUNT 64      // sockets of one epoll_wait
#define DATAGRAM_SIZE 2048u // bytes; nothing that a voice client expects is longer
#define CONTROL_SIZE 128u   // a time stamp and a counter

struct receive {
	struct swarm *swarm;
	int epoll_fd;
	struct loop_fd *watch;
	struct mmsghdr messages[BATCH_COUNT];
	struct iovec vectors[BATCH_COUNT];
	struct sockaddr_storage sources[BATCH_COUNT];
	_Alignas(struct cmsghdr) uint8_t controls[BATCH_COUNT][CONTROL_SIZE];
	uint8_t datagrams[BATCH_COUNT][DATAGRAM_SIZE];
};

// The kernel's receive time; 0: it gave none.
static uint64_t ancillary_read(struct bot *bot, struct msghdr *message)
{
	uint64_t received_ns = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec at;

			memcpy(&at, CMSG_DATA(c), sizeof(at));
			received_ns = (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
		} else if (c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t dropped_count;

			memcpy(&dropped_count, CMSG_DATA(c), sizeof(dropped_count));
			bot->swarm->overflow_count += dropped_count - bot->media.overflow_count;
			bot->media.overflow_count = dropped_count;
		}
	}
	return received_ns;
}

// Makes the first 'count' messages ready to be received into, as the kernel changed them.
static void batch_prepare(struct receive *receive, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		receive->vectors[i] = (struct iovec){receive->datagrams[i], DATAGRAM_SIZE};
		receive->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &receive->sources[i],
			.msg_namelen = sizeof(receive->sources[i]),
			.msg_iov = &receive->vectors[i],
			.msg_iovlen = 1,
			.msg_control = receive->controls[i],
			.msg_controllen = CONTROL_SIZE,
		};
	}
}

static void bot_drain(struct receive *receive, struct bot *bot)
{
	int count;

	do {
		count = recvmmsg(bot->media.fd, receive->messages, BATCH_COUNT, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++) {
			struct mmsghdr *message = &receive->messages[i];
			uint64_t received_ns = ancillary_read(bot, &message->msg_hdr);

			verify_datagram(bot, receive->datagrams[i], message->msg_len,
				&receive->sources[i], received_ns);
		}
		if (count > 0)
			batch_prepare(receive, (unsigned)count);
		// Verifying may have closed the socket.
	} while (count == (int)BATCH_COUNT && bot->media.fd >= 0);
}

static void on_readable(void *arg, int fd, short revents)
{
	struct receive *receive = arg;
	struct epoll_event ready[READY_COUNT];
	int count = epoll_wait(fd, ready, READY_COUNT, 0);

	(void)revents;
	for (int i = 0; i < count; i++) {
		struct bot *bot = &receive->swarm->bots[ready[i].data.u32];

		if (bot->media.fd >= 0)
			bot_drain(receive, bot);
	}
}

int receive_create(struct swarm *swarm, struct receive **out)
{
	struct receive *receive = calloc(1, sizeof(*receive));
	int status;

	if (receive == NULL)
		return -ENOMEM;
	receive->swarm = swarm;
	batch_prepare(receive, BATCH_COUNT);
	receive->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (receive->epoll_fd < 0)
		status = -errno;
	else
		status = loop_fd_add(swarm->loop, receive->epoll_fd, POLLIN, on_readable, receive,
			&receive->watch);
	if (status != 0) {
		receive_destroy(receive);
		return status;
	}
	*out = receive;
	return 0;
}

void receive_destroy(struct receive *receive)
{
	if (receive == NULL)
		return;
	loop_fd_remove(receive->watch);
	if (receive->epoll_fd >= 0)
		close(receive->epoll_fd);
	free(receive);
}

int receive_add(struct receive *receive, struct bot *bot)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = bot->index};

	if (epoll_ctl(receive->epoll_fd, EPOLL_CTL_ADD, bot->media.fd, &event) != 0)
		return -errno;
	return 0;
}

void receive_remove(struct receive *receive, struct bot *bot)
{
	(void)epoll_ctl(receive->epoll_fd, EPOLL_CTL_DEL, bot->media.fd, NULL);
}
