// SPDX-License-Identifier: BSD-3-Clause
//
// Certificates and private keys in PEM files. Used inside tls/ only.
#pragma once

#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

// The first certificate of a file; X509_free(). 0, -errno of the file, or -EINVAL: no certificate.
int pem_read_certificate(const char *path, X509 **out) __attribute__((warn_unused_result));
// A private key; EVP_PKEY_free(). 0, -errno of the file, -EINVAL: no key, -ENOKEY: it has a
// password.
int pem_read_key(const char *path, EVP_PKEY **out) __attribute__((warn_unused_result));

// Both replace the file at once (a new file, renamed) and wait until it is on the disk. 0 or
// -errno. The certificate's mode is 0644, the key's 0600.
int pem_write_certificate(const char *path, X509 *certificate) __attribute__((warn_unused_result));
int pem_write_key(const char *path, EVP_PKEY *key) __attribute__((warn_unused_result));
