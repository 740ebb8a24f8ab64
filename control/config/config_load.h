// SPDX-License-Identifier: BSD-3-Clause
//
// Loading both configurations. Include config.h.
//
// All of them return 0, or -EINVAL (the content), -errno (the file) or -ENOMEM, with every problem
// in 'problems', which the caller frees in any case; the struct is then unspecified and needs no
// free, but where 'wants_rest' asks for it.
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config_types.h"

#define CONFIG_FILE_SIZE_MAX 8388608u // bytes
#define CONFIG_PROBLEMS_MAX 100u      // told one by one; the rest is counted

struct gateway_config;
struct node_config;

// Lines "file:line: key: what was found; what is allowed", in the order of the file. A warning has
// "warning: " before its key. Zero-initialise.
struct config_problems {
	char *text; // whole lines, NUL-terminated; NULL: none
	size_t text_size;
	uint32_t count;         // also those beyond CONFIG_PROBLEMS_MAX
	uint32_t warning_count; // what need not be wrong; not in 'count'
	// Asked for by who looks on in spite of problems: after -EINVAL the struct holds what was
	// good, what was refused is empty, and the caller frees it. Told: it does.
	bool wants_rest, has_rest;
};

// What depends on the machine, so that the parsers do not.
struct config_facts {
	const char *hostname;
	cpu_set_t cpus; // allowed to this process
};

// Adds what only the machine shows, at the line of 'path' where 'key' stands (it need not).
__attribute__((format(printf, 5, 6))) void config_problem_add(struct config_problems *problems,
	bool is_warning, const char *path, const char *key, const char *format, ...);
// Prints the lines and a last one, "2 problems, 1 warning".
void config_problems_print(const struct config_problems *problems, FILE *out);
void config_problems_free(struct config_problems *problems);

int node_config_load(const char *path, struct node_config *config, struct config_problems *problems)
	__attribute__((warn_unused_result));
// The same from memory; 'name' stands for the file in the problems. An empty text: the defaults.
int node_config_parse(const char *name, const char *text, size_t text_size,
	const struct config_facts *facts, struct node_config *config,
	struct config_problems *problems) __attribute__((warn_unused_result));
// What clients are told: voice.endpoint, else the first announced address, else 'fallback' (an IP
// literal of the device), with the port of the first voice.listen. "host:port", IPv6 in brackets.
// 0, -ENOSPC, -EADDRNOTAVAIL (nothing to tell).
int node_config_endpoint(const struct node_config *config, const char *fallback, char *out,
	size_t out_size) __attribute__((warn_unused_result));

// The cores that several workers share, for people: "core 0 (workers 0 and 2)", "": none. Returns
// how many cores. A shared core is one worker's at a time.
uint32_t node_config_shared_cores(const struct node_config *config, char *out, size_t out_size);

int gateway_config_load(const char *path, struct gateway_config *config,
	struct config_problems *problems) __attribute__((warn_unused_result));
// Does not read node_secrets_file.
int gateway_config_parse(const char *name, const char *text, size_t text_size,
	struct gateway_config *config, struct config_problems *problems)
	__attribute__((warn_unused_result));
// Wipes the secrets. Allowed for a zeroed struct, and twice.
void gateway_config_free(struct gateway_config *config);

// Reads the first line of a secret file into 'secret' (CONFIG_SECRET_SIZE bytes), without its end.
// 0, or -errno with one sentence in 'why' that never quotes the secret.
int config_secret_read(const char *path, char *secret, char *why, size_t why_size)
	__attribute__((warn_unused_result));

// The whole sample file with every key at its default. 0 or -ENOMEM; free() '*text'.
int node_config_sample(char **text) __attribute__((warn_unused_result));
int gateway_config_sample(char **text) __attribute__((warn_unused_result));

// "aead_aes256_gcm_rtpsize", as on the wire.
const char *config_mode_name(enum config_mode mode);
