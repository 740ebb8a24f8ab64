// SPDX-License-Identifier: BSD-3-Clause
//
// X.509 as RFC 5280 asks of a private authority and its leaf, no more.

#include "tls/local_ca.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define SKEW_S 3600 // clocks of clients may be behind

EVP_PKEY *local_ca_key(void)
{
	return EVP_EC_gen("P-256");
}

static bool is_address(const char *name)
{
	uint8_t address[16];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

bool local_ca_name_ok(const char *name)
{
	size_t size = strlen(name);

	if (is_address(name))
		return true;
	if (size == 0 || size > 253 || name[0] == '.' || name[0] == '-')
		return false;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && *name != '-' && *name != '.')
			return false;
	return true;
}

// RFC 5280 section 4.1.2.2: positive, unique, at most 20 bytes. 127 random bits.
static bool set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool ok = number != NULL &&
		  BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
		  BN_add_word(number, 1) == 1 &&
		  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

	BN_free(number);
	return ok;
}

static bool set_dates(X509 *certificate, int64_t from_s, int64_t until_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from_s) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)until_s) != NULL;
}

static bool set_name(X509 *certificate, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		       (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

X509 *local_ca_authority(EVP_PKEY *key, int64_t now_s)
{
	X509 *made = X509_new();
	unsigned char tag[4];
	char name[64];

	// Two authorities of two machines must not look the same to a client that trusts both.
	if (made == NULL || RAND_bytes(tag, sizeof(tag)) != 1)
		goto fail;
	snprintf(name, sizeof(name), "voicenode local CA %02x%02x%02x%02x", tag[0], tag[1], tag[2],
		tag[3]);
	if (X509_set_version(made, X509_VERSION_3) != 1 || !set_serial(made) ||
		!set_dates(made, now_s - SKEW_S, now_s - SKEW_S + LOCAL_CA_DAYS * 86400LL) ||
		!set_name(made, name) ||
		X509_set_issuer_name(made, X509_get_subject_name(made)) != 1 ||
		X509_set_pubkey(made, key) != 1)
		goto fail;
	if (!add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
		!add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign") ||
		!add_extension(made, made, NID_subject_key_identifier, "hash"))
		goto fail;
	if (X509_sign(made, key, EVP_sha256()) == 0)
		goto fail;
	return made;
fail:
	X509_free(made);
	ERR_clear_error();
	return NULL;
}

static bool add_general_name(GENERAL_NAMES *all, const char *name)
{
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_STRING *value = NULL;
	int type = is_address(name) ? GEN_IPADD : GEN_DNS;

	if (type == GEN_IPADD) {
		value = a2i_IPADDRESS(name);
	} else {
		value = ASN1_IA5STRING_new();
		if (value != NULL && ASN1_STRING_set(value, name, -1) != 1) {
			ASN1_STRING_free(value);
			value = NULL;
		}
	}
	if (one == NULL || value == NULL) {
		GENERAL_NAME_free(one);
		ASN1_STRING_free(value);
		return false;
	}
	GENERAL_NAME_set0_value(one, type, value);
	if (sk_GENERAL_NAME_push(all, one) > 0)
		return true;
	GENERAL_NAME_free(one);
	return false;
}

static bool add_names(X509 *certificate, const char *const *names, unsigned name_count)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	bool ok = all != NULL;

	for (unsigned i = 0; ok && i < name_count; i++) {
		bool repeated = false;

		for (unsigned j = 0; j < i; j++)
			repeated = repeated || strcmp(names[i], names[j]) == 0;
		ok = repeated || add_general_name(all, names[i]);
	}
	ok = ok &&
	     X509_add1_ext_i2d(certificate, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT) == 1;
	GENERAL_NAMES_free(all);
	return ok;
}

// Seconds from 'now_s' to 'time'.
static bool seconds_until(const ASN1_TIME *time, int64_t now_s, int64_t *out)
{
	ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)now_s);
	int days = 0, seconds = 0;
	bool ok = now != NULL && ASN1_TIME_diff(&days, &seconds, now, time) == 1;

	ASN1_TIME_free(now);
	*out = days * 86400LL + seconds;
	return ok;
}

X509 *local_ca_leaf(EVP_PKEY *key, X509 *authority, EVP_PKEY *authority_key,
	const char *const *names, unsigned name_count, int64_t now_s, unsigned days)
{
	X509 *made = X509_new();
	int64_t left_s = 0, until_s = now_s - SKEW_S + days * 86400LL;

	if (made == NULL || !seconds_until(X509_get0_notAfter(authority), now_s, &left_s))
		goto fail;
	if (until_s > now_s + left_s)
		until_s = now_s + left_s;
	if (X509_set_version(made, X509_VERSION_3) != 1 || !set_serial(made) ||
		!set_dates(made, now_s - SKEW_S, until_s) || !set_name(made, "voicenode") ||
		X509_set_issuer_name(made, X509_get_subject_name(authority)) != 1 ||
		X509_set_pubkey(made, key) != 1)
		goto fail;
	if (!add_extension(made, authority, NID_basic_constraints, "critical,CA:FALSE") ||
		!add_extension(made, authority, NID_key_usage, "critical,digitalSignature") ||
		!add_extension(made, authority, NID_ext_key_usage, "serverAuth") ||
		!add_extension(made, authority, NID_subject_key_identifier, "hash") ||
		!add_extension(made, authority, NID_authority_key_identifier, "keyid:always") ||
		!add_names(made, names, name_count))
		goto fail;
	if (X509_sign(made, authority_key, EVP_sha256()) == 0)
		goto fail;
	return made;
fail:
	X509_free(made);
	ERR_clear_error();
	return NULL;
}

bool local_ca_leaf_serves(X509 *leaf, X509 *authority, const char *const *names,
	unsigned name_count, int64_t now_s, unsigned days)
{
	int64_t since_s = 0, left_s = 0;
	bool serves = X509_verify(leaf, X509_get0_pubkey(authority)) == 1 &&
		      seconds_until(X509_get0_notBefore(leaf), now_s, &since_s) && since_s <= 0 &&
		      seconds_until(X509_get0_notAfter(leaf), now_s, &left_s) &&
		      left_s >= days * 86400LL;

	for (unsigned i = 0; serves && i < name_count; i++)
		serves = is_address(names[i])
				 ? X509_check_ip_asc(leaf, names[i], 0) == 1
				 : X509_check_host(leaf, names[i], 0,
					   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
	ERR_clear_error();
	return serves;
}
