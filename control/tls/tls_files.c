// SPDX-License-Identifier: BSD-3-Clause
//
// Which certificate the voice endpoint shows, and whether it can. local_ca.h makes certificates,
// pem_file.h keeps them; here is what is checked, what is kept and what is made anew.

#include "tls/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tls/local_ca.h"
#include "tls/pem_file.h"

#define CA_NEEDED_DAYS 60u // of validity; an authority with less is made anew

struct authority {
	X509 *certificate;
	EVP_PKEY *key;
};

static int cannot_read(int error, const char *what, const char *path, char *why, size_t why_size)
{
	if (error == -EINVAL)
		snprintf(why, why_size,
			"%s holds no %s in PEM form; write one there, or name another", path, what);
	else if (error == -ENOKEY)
		snprintf(why, why_size,
			"the %s in %s has a password; write it without one (openssl pkey -in ... "
			"-out ...)",
			what, path);
	else
		snprintf(why, why_size, "the %s %s cannot be read: %s; %s", what, path,
			strerror(-error),
			error == -EACCES ? "let this user read it"
					 : "write it there, or name another");
	return error == -ENOENT || error == -EACCES || error == -ENOMEM ? error : -EINVAL;
}

static int check_configured(const struct tls_files_params *params, char *why, size_t why_size)
{
	X509 *certificate = NULL;
	EVP_PKEY *key = NULL;
	time_t now = (time_t)params->now_s;
	int error = pem_read_certificate(params->certificate, &certificate);

	if (error != 0)
		return cannot_read(error, "certificate", params->certificate, why, why_size);
	error = pem_read_key(params->key, &key);
	if (error != 0) {
		X509_free(certificate);
		return cannot_read(error, "key", params->key, why, why_size);
	}
	error = -EINVAL;
	if (X509_check_private_key(certificate, key) != 1)
		snprintf(why, why_size,
			"the key %s does not belong to the first certificate of %s; name the key "
			"that the certificate was made with",
			params->key, params->certificate);
	else if (X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0)
		snprintf(why, why_size, "the certificate %s has expired; renew it",
			params->certificate);
	else if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0)
		snprintf(why, why_size,
			"the certificate %s is not valid yet; look at this machine's clock",
			params->certificate);
	else
		error = 0;
	ERR_clear_error();
	X509_free(certificate);
	EVP_PKEY_free(key);
	return error;
}

static int use_configured(
	const struct tls_files_params *params, struct tls_files *out, char *why, size_t why_size)
{
	struct tls_files made = {.ca = ""};
	int error;

	if (params->key == NULL || params->key[0] == '\0' || params->certificate == NULL ||
		params->certificate[0] == '\0') {
		snprintf(why, why_size,
			"a certificate needs its key: name both, or none for a "
			"local authority");
		return -EINVAL;
	}
	if (snprintf(made.certificate, sizeof(made.certificate), "%s", params->certificate) >=
			(int)sizeof(made.certificate) ||
		snprintf(made.key, sizeof(made.key), "%s", params->key) >= (int)sizeof(made.key)) {
		snprintf(why, why_size, "the path of the certificate or of its key is too long");
		return -EINVAL;
	}
	error = check_configured(params, why, why_size);
	if (error == 0)
		*out = made;
	return error;
}

static int cannot_write(int error, const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size,
		"%s cannot be written: %s; name a directory that this user may write in "
		"node.state_dir",
		path, strerror(-error));
	return error == -ENOENT || error == -EACCES || error == -ENOMEM ? error : -EIO;
}

// Makes STATE_DIR/tls and takes its lock: two starts at once must not make two authorities.
static int open_directory(
	const char *state_dir, char *path, size_t path_size, int *lock, char *why, size_t why_size)
{
	int error = 0;

	if (snprintf(path, path_size, "%s/tls", state_dir) >= (int)path_size - 16) {
		snprintf(why, why_size, "the state directory's path is too long");
		return -EINVAL;
	}
	if ((mkdir(state_dir, 0755) != 0 && errno != EEXIST) ||
		(mkdir(path, 0755) != 0 && errno != EEXIST))
		error = -errno;
	if (error == 0) {
		*lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = *lock < 0 ? -errno : 0;
	}
	if (error != 0)
		return cannot_write(error, path, why, why_size);
	while (flock(*lock, LOCK_EX) != 0 && errno == EINTR)
		;
	return 0;
}

static void authority_free(struct authority *authority)
{
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	*authority = (struct authority){0};
}

static int authority_make(struct authority *authority, const char *certificate_path,
	const char *key_path, int64_t now_s, char *why, size_t why_size)
{
	int error;

	authority_free(authority);
	authority->key = local_ca_key();
	if (authority->key != NULL)
		authority->certificate = local_ca_authority(authority->key, now_s);
	if (authority->certificate == NULL) {
		snprintf(why, why_size, "a local authority cannot be made: out of memory");
		return -ENOMEM;
	}
	// The old certificate goes first: a key beside a foreign certificate would be refused.
	if (unlink(certificate_path) != 0 && errno != ENOENT)
		return cannot_write(-errno, certificate_path, why, why_size);
	error = pem_write_key(key_path, authority->key);
	if (error != 0)
		return cannot_write(error, key_path, why, why_size);
	error = pem_write_certificate(certificate_path, authority->certificate);
	if (error != 0)
		return cannot_write(error, certificate_path, why, why_size);
	return 0;
}

// The kept authority; a new one where there is none yet or it nears its end. One that is damaged is
// not replaced: clients trust it, and its operator may have its files elsewhere.
static int authority_get(struct authority *authority, const char *certificate_path,
	const char *key_path, int64_t now_s, char *why, size_t why_size)
{
	time_t needed = (time_t)(now_s + CA_NEEDED_DAYS * 86400LL);
	int error = pem_read_certificate(certificate_path, &authority->certificate);

	if (error == -ENOENT)
		return authority_make(authority, certificate_path, key_path, now_s, why, why_size);
	if (error == 0)
		error = pem_read_key(key_path, &authority->key);
	if (error == -EACCES)
		return cannot_read(error, "local authority", key_path, why, why_size);
	if (error != 0 || X509_check_private_key(authority->certificate, authority->key) != 1) {
		ERR_clear_error();
		snprintf(why, why_size,
			"%s and %s are not the pair of a local authority; restore them, or remove "
			"both to get a new authority, which clients must trust anew",
			certificate_path, key_path);
		return error == -ENOMEM ? error : -EINVAL;
	}
	if (X509_cmp_time(X509_get0_notAfter(authority->certificate), &needed) <= 0)
		return authority_make(authority, certificate_path, key_path, now_s, why, why_size);
	return 0;
}

static bool leaf_is_good(const struct tls_files *files, const struct authority *authority,
	const char *const *names, unsigned name_count, int64_t now_s)
{
	X509 *leaf = NULL;
	EVP_PKEY *key = NULL;
	bool good = pem_read_certificate(files->certificate, &leaf) == 0 &&
		    pem_read_key(files->key, &key) == 0 && X509_check_private_key(leaf, key) == 1 &&
		    local_ca_leaf_serves(leaf, authority->certificate, names, name_count, now_s,
			    TLS_FILES_RENEW_DAYS);

	ERR_clear_error();
	X509_free(leaf);
	EVP_PKEY_free(key);
	return good;
}

static int leaf_make(const struct tls_files *files, const struct authority *authority,
	const char *const *names, unsigned name_count, int64_t now_s, char *why, size_t why_size)
{
	EVP_PKEY *key = local_ca_key();
	X509 *leaf = key == NULL ? NULL
				 : local_ca_leaf(key, authority->certificate, authority->key, names,
					   name_count, now_s, TLS_FILES_LEAF_DAYS);
	int error = 0;

	if (leaf == NULL) {
		snprintf(why, why_size, "a certificate cannot be made: out of memory");
		error = -ENOMEM;
	} else if ((error = pem_write_key(files->key, key)) != 0) {
		error = cannot_write(error, files->key, why, why_size);
	} else if ((error = pem_write_certificate(files->certificate, leaf)) != 0) {
		error = cannot_write(error, files->certificate, why, why_size);
	}
	X509_free(leaf);
	EVP_PKEY_free(key);
	return error;
}

// The names that a client may connect to, ours first. Returns their number, or 0 with 'why'.
static unsigned collect_names(const struct tls_files_params *params,
	const char *names[TLS_FILES_NAMES_MAX + 2], char *why, size_t why_size)
{
	unsigned count = 0;

	if (params->name_count > TLS_FILES_NAMES_MAX) {
		snprintf(why, why_size,
			"%u names are too many for a certificate; announce at most %u",
			params->name_count, TLS_FILES_NAMES_MAX);
		return 0;
	}
	names[count++] = "localhost";
	names[count++] = "127.0.0.1";
	for (unsigned i = 0; i < params->name_count; i++) {
		if (!local_ca_name_ok(params->names[i])) {
			snprintf(why, why_size,
				"\"%s\" is no address and no host name that a certificate can "
				"hold; "
				"correct voice.endpoint or network.announce",
				params->names[i]);
			return 0;
		}
		names[count++] = params->names[i];
	}
	return count;
}

static int use_local(
	const struct tls_files_params *params, struct tls_files *out, char *why, size_t why_size)
{
	const char *names[TLS_FILES_NAMES_MAX + 2];
	unsigned name_count = collect_names(params, names, why, why_size);
	char directory[TLS_FILES_PATH_SIZE - 16], ca_key[TLS_FILES_PATH_SIZE];
	struct authority authority = {0};
	struct tls_files made;
	int lock = -1, error;

	if (name_count == 0)
		return -EINVAL;
	error = open_directory(
		params->state_dir, directory, sizeof(directory), &lock, why, why_size);
	if (error != 0)
		return error;
	snprintf(made.certificate, sizeof(made.certificate), "%s/leaf.pem", directory);
	snprintf(made.key, sizeof(made.key), "%s/leaf.key", directory);
	snprintf(made.ca, sizeof(made.ca), "%s/ca.pem", directory);
	snprintf(ca_key, sizeof(ca_key), "%s/ca.key", directory);
	error = authority_get(&authority, made.ca, ca_key, params->now_s, why, why_size);
	if (error == 0 && !leaf_is_good(&made, &authority, names, name_count, params->now_s))
		error = leaf_make(
			&made, &authority, names, name_count, params->now_s, why, why_size);
	authority_free(&authority);
	close(lock);
	if (error == 0)
		*out = made;
	return error;
}

int tls_files_prepare(
	const struct tls_files_params *params, struct tls_files *out, char *why, size_t why_size)
{
	if ((params->certificate != NULL && params->certificate[0] != '\0') ||
		(params->key != NULL && params->key[0] != '\0'))
		return use_configured(params, out, why, why_size);
	return use_local(params, out, why, why_size);
}

void tls_files_print(const struct tls_files *files)
{
	if (files->ca[0] == '\0')
		return;
	printf("voice CA: %s\n", files->ca);
	fflush(stdout);
}
