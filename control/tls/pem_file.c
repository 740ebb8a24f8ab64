// SPDX-License-Identifier: BSD-3-Clause
//
// PEM in and out of files. A key is on the disk under its name with mode 0600 or not at all.

#include "tls/pem_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define PEM_PATH_SIZE 384u

static int open_read(const char *path, FILE **out)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0)
		error = -errno;
	else if (S_ISDIR(status.st_mode))
		error = -EISDIR;
	else if ((*out = fdopen(fd, "r")) == NULL)
		error = -errno;
	if (error != 0)
		close(fd);
	return error;
}

int pem_read_certificate(const char *path, X509 **out)
{
	FILE *file = NULL;
	X509 *certificate;
	int error = open_read(path, &file);

	if (error != 0)
		return error;
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ERR_clear_error();
	if (certificate == NULL)
		return -EINVAL;
	*out = certificate;
	return 0;
}

// Asked for a password: there is nobody to type it. Remembers that it was asked.
static int no_password(char *out, int out_size, int writing, void *asked)
{
	(void)out;
	(void)out_size;
	(void)writing;
	*(int *)asked = 1;
	return -1;
}

int pem_read_key(const char *path, EVP_PKEY **out)
{
	FILE *file = NULL;
	EVP_PKEY *key;
	int asked = 0, error = open_read(path, &file);

	if (error != 0)
		return error;
	setvbuf(file, NULL, _IONBF, 0); // leaves no copy of the key in a freed buffer
	key = PEM_read_PrivateKey(file, NULL, no_password, &asked);
	fclose(file);
	ERR_clear_error();
	if (key == NULL)
		return asked ? -ENOKEY : -EINVAL;
	*out = key;
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		size -= (size_t)written;
	}
	return fsync(fd) != 0 ? -errno : 0;
}

static int replace_file(const char *path, const char *data, size_t size, mode_t mode)
{
	char fresh[PEM_PATH_SIZE];
	int fd, error;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	if (unlink(fresh) != 0 && errno != ENOENT) // of a start that was killed
		return -errno;
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	error = fchmod(fd, mode) != 0 ? -errno : write_all(fd, data, size);
	if (close(fd) != 0 && error == 0)
		error = -errno;
	if (error == 0 && rename(fresh, path) != 0)
		error = -errno;
	if (error != 0)
		unlink(fresh);
	return error;
}

// Writes what 'bio' holds, wipes and frees it.
static int write_bio(const char *path, BIO *bio, int filled, mode_t mode)
{
	char *data = NULL;
	long size;
	int error = -ENOMEM;

	if (bio == NULL)
		return error;
	size = BIO_get_mem_data(bio, &data);
	if (filled == 1)
		error = replace_file(path, data, (size_t)size, mode);
	if (data != NULL)
		explicit_bzero(data, (size_t)size);
	BIO_free(bio);
	return error;
}

int pem_write_certificate(const char *path, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int filled = bio == NULL ? 0 : PEM_write_bio_X509(bio, certificate);

	return write_bio(path, bio, filled, 0644);
}

int pem_write_key(const char *path, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int filled = bio == NULL
			     ? 0
			     : PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);

	return write_bio(path, bio, filled, 0600);
}
