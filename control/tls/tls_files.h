// SPDX-License-Identifier: BSD-3-Clause
//
// The certificate that voice clients see. Either the operator's files, checked here so that a
// mistake is one clear sentence at start; or a leaf of a local authority that is made here, kept in
// STATE_DIR/tls/ (ca.pem, ca.key, leaf.pem, leaf.key; keys 0600) and renewed when it lacks a name,
// nears its end or does not fit its key. The authority is kept: clients trust its file for ten
// years.
//
// Threads: any one; blocks on files, so at start or from a slow timer only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TLS_FILES_PATH_SIZE 320u
#define TLS_FILES_NAMES_MAX 64u
#define TLS_FILES_LEAF_DAYS 397u
#define TLS_FILES_RENEW_DAYS 30u // a leaf with less than this left is made anew

struct tls_files_params {
	const char *certificate;  // operator's PEM chain; NULL or "": the local authority
	const char *key;          // operator's PEM key
	const char *state_dir;    // it and 'tls' in it are made where they are missing
	const char *const *names; // IP literals and host names of the leaf, besides localhost and
	unsigned name_count;      // 127.0.0.1
	int64_t now_s;            // seconds since 1970
};

struct tls_files {
	char certificate[TLS_FILES_PATH_SIZE]; // PEM chain
	char key[TLS_FILES_PATH_SIZE];
	char ca[TLS_FILES_PATH_SIZE]; // for clients to trust; "": the operator's own certificate
};

// 0, or -ENOENT, -EACCES, -EINVAL (not PEM, not a pair, expired, too many or malformed names),
// -EIO, -ENOMEM with one sentence in 'why' that says what is wrong and what cures it.
int tls_files_prepare(const struct tls_files_params *params, struct tls_files *out, char *why,
	size_t why_size) __attribute__((warn_unused_result));

// Prints "voice CA: PATH" to stdout; nothing where the certificate is the operator's.
void tls_files_print(const struct tls_files *files);
