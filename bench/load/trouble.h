// SPDX-License-Identifier: BSD-3-Clause
//
// Why a bot cannot join: one sentence with its cure on stderr, said once however many bots it holds
// for. A bot that is refused for good does not try again, and when all are, the run ends.
//
// The loop's thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bot;
struct gateway_event;
struct swarm;

// The gateway closed with a code after which no client comes back: 4004 is the token.
void trouble_closed(struct bot *bot, uint16_t code);
// READY does not name the bot's guild, GUILD_CREATE not its channel: says so. They name no ids, or
// more than an event holds: nothing is known.
void trouble_check_guild(struct bot *bot, const struct gateway_event *ready);
void trouble_check_channel(struct bot *bot, const struct gateway_event *guild);
// 'why' of a connection to 'peer' that failed. True: it is the certificate, and trying again does
// not help.
bool trouble_check_failure(struct bot *bot, const char *peer, const char *why);

// The cure of a certificate that was refused for the reason 'why'. Pure.
void trouble_certificate_cure(const char *why, const char *ca_path, char *out, size_t out_size);

// Of bots that are not in, and about which nothing was said: how far they came.
void trouble_explain(struct swarm *swarm);
