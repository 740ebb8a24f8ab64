// SPDX-License-Identifier: BSD-3-Clause
//
// The voice endpoint's certificate: the local authority and its leaf as OpenSSL's own verifier sees
// them, what is kept and what is made anew, and one sentence for every mistake in given files.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls/local_ca.h"
#include "tls/pem_file.h"
#include "tls/tls_files.h"

#define NOW_S 1780000000LL
#define DAY_S 86400LL

static char directory[64], why[512];
static struct tls_files files;

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/tls_files_test.XXXXXX");
	memset(&files, 0, sizeof(files));
	why[0] = '\0';
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static void path_of(char *out, size_t out_size, const char *name)
{
	snprintf(out, out_size, "%s/%s", directory, name);
}

static int remove_directory(void **state)
{
	static const char *const names[] = {"tls/ca.pem", "tls/ca.key", "tls/leaf.pem",
		"tls/leaf.key", "a.pem", "a.key", "b.key", "tls"};
	char path[128];
	(void)state;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(path, sizeof(path), names[i]);
		remove(path);
	}
	return rmdir(directory); // nothing else was left there
}

static int prepare_names(const char *const *names, unsigned name_count, int64_t now_s)
{
	const struct tls_files_params params = {
		.certificate = "",
		.key = "",
		.state_dir = directory,
		.names = names,
		.name_count = name_count,
		.now_s = now_s,
	};

	return tls_files_prepare(&params, &files, why, sizeof(why));
}

static int prepare_given(const char *certificate, const char *key)
{
	char certificate_path[128] = "", key_path[128] = "";
	const struct tls_files_params params = {
		.certificate = certificate_path,
		.key = key_path,
		.state_dir = directory,
		.now_s = NOW_S,
	};

	if (certificate != NULL)
		path_of(certificate_path, sizeof(certificate_path), certificate);
	if (key != NULL)
		path_of(key_path, sizeof(key_path), key);
	return tls_files_prepare(&params, &files, why, sizeof(why));
}

static void read_bytes(const char *path, char *out, size_t out_size)
{
	FILE *file = fopen(path, "r");
	size_t size;

	assert_non_null(file);
	size = fread(out, 1, out_size - 1, file);
	out[size] = '\0';
	fclose(file);
}

static void write_text(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	path_of(path, sizeof(path), name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

// What a client does with the CA file: the whole chain, the purpose and one name, at 'at_s'.
static int verifies(const char *name, int64_t at_s)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	X509 *leaf = NULL;
	int result;

	assert_int_equal(X509_STORE_load_locations(store, files.ca, NULL), 1);
	assert_int_equal(pem_read_certificate(files.certificate, &leaf), 0);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)at_s);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) != 1)
		assert_int_equal(X509_VERIFY_PARAM_set1_host(param, name, 0), 1);
	result = X509_verify_cert(ctx);
	X509_free(leaf);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return result;
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void local_leaf_verifies_for_every_name_and_no_other(void **state)
{
	static const char *const names[] = {"192.0.2.7", "2001:db8::7", "voice.example.org"};
	(void)state;

	assert_int_equal(prepare_names(names, 3, NOW_S), 0);
	assert_int_equal(verifies("localhost", NOW_S), 1);
	assert_int_equal(verifies("127.0.0.1", NOW_S), 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(verifies(names[i], NOW_S), 1);
	assert_int_equal(verifies("192.0.2.8", NOW_S), 0);
	assert_int_equal(verifies("example.org", NOW_S), 0);
	// 397 days, counted from one hour before.
	assert_int_equal(verifies("localhost", NOW_S - 1800), 1);
	assert_int_equal(verifies("localhost", NOW_S - 7200), 0);
	assert_int_equal(verifies("localhost", NOW_S + 396 * DAY_S), 1);
	assert_int_equal(verifies("localhost", NOW_S + 397 * DAY_S), 0);
}

static void keys_are_for_the_owner_only(void **state)
{
	char path[128];
	mode_t old = umask(0);
	(void)state;

	assert_int_equal(prepare_names(NULL, 0, NOW_S), 0);
	umask(old);
	assert_int_equal(mode_of(files.key), 0600);
	path_of(path, sizeof(path), "tls/ca.key");
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(mode_of(files.ca), 0644);
	assert_int_equal(mode_of(files.certificate), 0644);
}

static void a_second_start_changes_nothing(void **state)
{
	static const char *const names[] = {"192.0.2.7"};
	static char before[8192], after[8192];
	(void)state;

	assert_int_equal(prepare_names(names, 1, NOW_S), 0);
	read_bytes(files.certificate, before, sizeof(before));
	assert_int_equal(prepare_names(names, 1, NOW_S + 366 * DAY_S), 0);
	read_bytes(files.certificate, after, sizeof(after));
	assert_string_equal(before, after);
}

// The authority's bytes before, the leaf's bytes before: kept and replaced.
static void expect_new_leaf_of_same_authority(
	const char *const *names, unsigned name_count, int64_t now_s)
{
	static char ca_before[8192], leaf_before[8192], after[8192];

	read_bytes(files.ca, ca_before, sizeof(ca_before));
	read_bytes(files.certificate, leaf_before, sizeof(leaf_before));
	assert_int_equal(prepare_names(names, name_count, now_s), 0);
	read_bytes(files.ca, after, sizeof(after));
	assert_string_equal(ca_before, after);
	read_bytes(files.certificate, after, sizeof(after));
	assert_string_not_equal(leaf_before, after);
	for (unsigned i = 0; i < name_count; i++)
		assert_int_equal(verifies(names[i], now_s), 1);
}

static void leaf_is_renewed_for_a_new_name_and_near_its_end(void **state)
{
	static const char *const names[] = {"192.0.2.7", "2001:db8::7"};
	char path[128];
	(void)state;

	assert_int_equal(prepare_names(names, 1, NOW_S), 0);
	expect_new_leaf_of_same_authority(names, 2, NOW_S);
	expect_new_leaf_of_same_authority(names, 2, NOW_S + 368 * DAY_S);
	// A leaf whose key is another's, or is gone.
	path_of(path, sizeof(path), "tls/leaf.key");
	assert_int_equal(remove(path), 0);
	expect_new_leaf_of_same_authority(names, 2, NOW_S + 368 * DAY_S);
	write_text("tls/leaf.key", "no key");
	expect_new_leaf_of_same_authority(names, 2, NOW_S + 368 * DAY_S);
}

static void leaf_does_not_outlive_its_authority(void)
{
	X509 *leaf = NULL, *authority = NULL;

	assert_int_equal(pem_read_certificate(files.certificate, &leaf), 0);
	assert_int_equal(pem_read_certificate(files.ca, &authority), 0);
	assert_true(
		ASN1_TIME_compare(X509_get0_notAfter(leaf), X509_get0_notAfter(authority)) <= 0);
	X509_free(leaf);
	X509_free(authority);
}

static void authority_is_made_anew_only_near_its_end(void **state)
{
	static char before[8192], after[8192];
	(void)state;

	assert_int_equal(prepare_names(NULL, 0, NOW_S), 0);
	read_bytes(files.ca, before, sizeof(before));
	assert_int_equal(prepare_names(NULL, 0, NOW_S + 3500 * DAY_S), 0);
	read_bytes(files.ca, after, sizeof(after));
	assert_string_equal(before, after);
	leaf_does_not_outlive_its_authority();
	assert_int_equal(verifies("localhost", NOW_S + 3649 * DAY_S), 1);
	assert_int_equal(verifies("localhost", NOW_S + 3650 * DAY_S), 0);
	assert_int_equal(prepare_names(NULL, 0, NOW_S + 3600 * DAY_S), 0);
	read_bytes(files.ca, after, sizeof(after));
	assert_string_not_equal(before, after);
	assert_int_equal(verifies("localhost", NOW_S + 3600 * DAY_S), 1);
}

static void damaged_authority_is_told_and_kept(void **state)
{
	char path[128];
	(void)state;

	assert_int_equal(prepare_names(NULL, 0, NOW_S), 0);
	write_text("tls/ca.key", "damaged");
	assert_int_equal(prepare_names(NULL, 0, NOW_S), -EINVAL);
	assert_non_null(strstr(why, "remove both"));
	assert_non_null(strstr(why, "ca.key"));
	path_of(path, sizeof(path), "tls/ca.key");
	assert_int_equal(remove(path), 0);
	assert_int_equal(prepare_names(NULL, 0, NOW_S), -EINVAL);
	assert_int_equal(access(files.ca, F_OK), 0);
}

static void malformed_names_are_refused(void **state)
{
	static const char *const bad[] = {"", "a b", "a\"b", "-x", "*.example.org", "1.2.3.4/24"};
	static const char *many[TLS_FILES_NAMES_MAX + 1];
	(void)state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(prepare_names(&bad[i], 1, NOW_S), -EINVAL);
		assert_non_null(strstr(why, "voice.endpoint"));
	}
	for (unsigned i = 0; i < TLS_FILES_NAMES_MAX + 1; i++)
		many[i] = "192.0.2.7";
	assert_int_equal(prepare_names(many, TLS_FILES_NAMES_MAX + 1, NOW_S), -EINVAL);
	assert_int_equal(prepare_names(many, TLS_FILES_NAMES_MAX, NOW_S), 0); // repeated: once
}

static void unwritable_state_directory_is_one_sentence(void **state)
{
	const struct tls_files_params params = {.state_dir = "/proc/nowhere", .now_s = NOW_S};
	(void)state;

	assert_int_equal(tls_files_prepare(&params, &files, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "node.state_dir"));
}

// a.pem and a.key: a pair of an operator.
static void write_pair(int64_t now_s)
{
	EVP_PKEY *key = local_ca_key();
	X509 *certificate = local_ca_authority(key, now_s);
	char path[128];

	path_of(path, sizeof(path), "a.pem");
	assert_int_equal(pem_write_certificate(path, certificate), 0);
	path_of(path, sizeof(path), "a.key");
	assert_int_equal(pem_write_key(path, key), 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void given_pair_is_used_as_it_is(void **state)
{
	char expected[128];
	(void)state;

	write_pair(NOW_S);
	assert_int_equal(prepare_given("a.pem", "a.key"), 0);
	path_of(expected, sizeof(expected), "a.pem");
	assert_string_equal(files.certificate, expected);
	assert_string_equal(files.ca, "");
	path_of(expected, sizeof(expected), "tls");
	assert_int_equal(access(expected, F_OK), -1); // no authority was made
}

static void every_mistake_in_given_files_has_its_sentence(void **state)
{
	EVP_PKEY *other = local_ca_key();
	char path[128];
	FILE *file;
	(void)state;

	write_pair(NOW_S);
	path_of(path, sizeof(path), "b.key");
	assert_int_equal(pem_write_key(path, other), 0);
	assert_int_equal(prepare_given("a.pem", "b.key"), -EINVAL);
	assert_non_null(strstr(why, "does not belong"));

	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(
		PEM_write_PKCS8PrivateKey(file, other, EVP_aes_128_cbc(), "secret", 6, NULL, NULL),
		1);
	fclose(file);
	EVP_PKEY_free(other);
	assert_int_equal(prepare_given("a.pem", "b.key"), -EINVAL);
	assert_non_null(strstr(why, "has a password"));

	assert_int_equal(prepare_given("none.pem", "a.key"), -ENOENT);
	assert_non_null(strstr(why, "none.pem"));
	assert_int_equal(prepare_given("a.pem", "none.key"), -ENOENT);
	assert_int_equal(prepare_given("a.key", "a.key"), -EINVAL);
	assert_non_null(strstr(why, "no certificate"));
	assert_int_equal(prepare_given("a.pem", "a.pem"), -EINVAL);
	assert_non_null(strstr(why, "no key"));
	assert_int_equal(prepare_given("", "a.key"), -EINVAL); // the directory itself
	assert_int_equal(prepare_given("a.pem", NULL), -EINVAL);
	assert_int_equal(prepare_given(NULL, "a.key"), -EINVAL);
	assert_non_null(strstr(why, "name both"));

	write_pair(NOW_S - 3651 * DAY_S);
	assert_int_equal(prepare_given("a.pem", "a.key"), -EINVAL);
	assert_non_null(strstr(why, "expired"));
	write_pair(NOW_S + DAY_S);
	assert_int_equal(prepare_given("a.pem", "a.key"), -EINVAL);
	assert_non_null(strstr(why, "not valid yet"));
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_TEST(local_leaf_verifies_for_every_name_and_no_other),
		TLS_TEST(keys_are_for_the_owner_only),
		TLS_TEST(a_second_start_changes_nothing),
		TLS_TEST(leaf_is_renewed_for_a_new_name_and_near_its_end),
		TLS_TEST(authority_is_made_anew_only_near_its_end),
		TLS_TEST(damaged_authority_is_told_and_kept),
		TLS_TEST(malformed_names_are_refused),
		TLS_TEST(unwritable_state_directory_is_one_sentence),
		TLS_TEST(given_pair_is_used_as_it_is),
		TLS_TEST(every_mistake_in_given_files_has_its_sentence),
	};

	return cmocka_run_group_tests_name("tls_files", tests, NULL, NULL);
}
