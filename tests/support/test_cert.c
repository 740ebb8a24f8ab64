// SPDX-License-Identifier: BSD-3-Clause
//
// The certificate of test_cert.h: P-256, one hour, its own CA.
#include "support/test_cert.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(x)   \
	if (!(x)) \
	abort()

static void extension_add(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	MUST(extension != NULL);
	MUST(X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

void test_cert_write(const char *cert_path, const char *key_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	FILE *file;

	MUST(key != NULL);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	extension_add(cert, NID_basic_constraints, "critical,CA:TRUE");
	extension_add(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
	MUST(X509_sign(cert, key, EVP_sha256()) > 0);
	file = fopen(cert_path, "w");
	MUST(file != NULL);
	MUST(PEM_write_X509(file, cert) == 1);
	fclose(file);
	file = fopen(key_path, "w");
	MUST(file != NULL);
	MUST(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}
