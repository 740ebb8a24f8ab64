// SPDX-License-Identifier: BSD-3-Clause
//
// Makes certificates: an authority that signs itself, and a server's leaf that it signs (P-256,
// SHA-256). Pure but for randomness; files are pem_file.h's. Used inside tls/ only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#define LOCAL_CA_DAYS 3650u

// NULL: out of memory, or OpenSSL has no randomness. EVP_PKEY_free().
EVP_PKEY *local_ca_key(void);
// An authority of its own for 'key', from one hour before 'now_s'. NULL as above. X509_free().
X509 *local_ca_authority(EVP_PKEY *key, int64_t now_s);

// Whether 'name' is an IP literal or a host name that can stand in a certificate.
bool local_ca_name_ok(const char *name);
// A leaf for 'key' that serves 'names' for 'days', but not beyond its authority. NULL as above.
X509 *local_ca_leaf(EVP_PKEY *key, X509 *authority, EVP_PKEY *authority_key,
	const char *const *names, unsigned name_count, int64_t now_s, unsigned days);

// Whether 'leaf' is of this authority, serves every name and is valid from 'now_s' for 'days'.
bool local_ca_leaf_serves(X509 *leaf, X509 *authority, const char *const *names,
	unsigned name_count, int64_t now_s, unsigned days);
