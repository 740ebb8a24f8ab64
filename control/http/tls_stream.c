// SPDX-License-Identifier: BSD-3-Clause
//
// TLS over memory, as tls_stream.h says. Every path that touches OpenSSL clears its error queue
// first: an error left by one connection must not be blamed on the next.
#include "http/tls_stream.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_SIZE 160

struct tls_stream {
	SSL *ssl;
	BIO *in, *out; // owned by ssl
	char why[WHY_SIZE];
};

static SSL_CTX *ctx_create(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

SSL_CTX *tls_server_ctx_create(
	const char *cert_path, const char *key_path, char *why, size_t why_size)
{
	SSL_CTX *ctx = ctx_create(TLS_server_method());

	ERR_clear_error();
	if (ctx == NULL) {
		snprintf(why, why_size, "TLS cannot start: out of memory.");
		return NULL;
	}
	if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) != 1) {
		snprintf(why, why_size,
			"The certificate %s cannot be read: give the path of a PEM file with the "
			"chain, leaf first.",
			cert_path);
		goto fail;
	}
	if (key_path == NULL || SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) != 1) {
		snprintf(why, why_size,
			"The private key %s cannot be read or does not belong to the certificate "
			"%s: give the PEM file of its key.",
			key_path == NULL ? "(none given)" : key_path, cert_path);
		goto fail;
	}
	return ctx;
fail:
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

SSL_CTX *tls_client_ctx_create(const char *ca_path, char *why, size_t why_size)
{
	SSL_CTX *ctx = ctx_create(TLS_client_method());
	int loaded;

	ERR_clear_error();
	if (ctx == NULL) {
		snprintf(why, why_size, "TLS cannot start: out of memory.");
		return NULL;
	}
	loaded = ca_path == NULL ? SSL_CTX_set_default_verify_paths(ctx)
				 : SSL_CTX_load_verify_locations(ctx, ca_path, NULL);
	if (loaded != 1) {
		snprintf(why, why_size, "the CA file %s cannot be read",
			ca_path == NULL ? "of the system" : ca_path);
		ERR_clear_error();
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

void tls_ctx_free(SSL_CTX *ctx)
{
	SSL_CTX_free(ctx);
}

static bool expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return true; // an address literal takes no server name indication (RFC 6066)
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct tls_stream *tls_stream_create(SSL_CTX *ctx, const char *host)
{
	struct tls_stream *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return NULL;
	tls->ssl = SSL_new(ctx);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL)
		goto fail;
	BIO_set_mem_eof_return(tls->in, -1); // empty means "later", not the end
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	tls->in = SSL_get_rbio(tls->ssl);
	if (host == NULL) {
		SSL_set_accept_state(tls->ssl);
	} else {
		SSL_set_connect_state(tls->ssl);
		if (!expect_host(tls->ssl, host)) {
			tls_stream_destroy(tls);
			return NULL;
		}
	}
	return tls;
fail:
	BIO_free(tls->in);
	BIO_free(tls->out);
	SSL_free(tls->ssl);
	free(tls);
	return NULL;
}

void tls_stream_destroy(struct tls_stream *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

bool tls_stream_feed(struct tls_stream *tls, const uint8_t *data, size_t size)
{
	return size <= INT_MAX && BIO_write(tls->in, data, (int)size) == (int)size;
}

static void why_set(struct tls_stream *tls)
{
	long verify = SSL_get_verify_result(tls->ssl);
	unsigned long error = ERR_peek_error();

	if (verify != X509_V_OK)
		snprintf(tls->why, sizeof(tls->why), "certificate refused: %s",
			X509_verify_cert_error_string(verify));
	else if (error != 0)
		snprintf(tls->why, sizeof(tls->why), "TLS: %s", ERR_reason_error_string(error));
	else
		snprintf(tls->why, sizeof(tls->why), "TLS ended");
	ERR_clear_error();
}

int tls_stream_read(struct tls_stream *tls, uint8_t *out, size_t size)
{
	int count, error;

	ERR_clear_error();
	count = SSL_read(tls->ssl, out, (int)size);
	if (count > 0)
		return count;
	error = SSL_get_error(tls->ssl, count);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	why_set(tls);
	return -1;
}

bool tls_stream_established(const struct tls_stream *tls)
{
	return SSL_is_init_finished(tls->ssl);
}

bool tls_stream_write(struct tls_stream *tls, const uint8_t *data, size_t size)
{
	ERR_clear_error();
	if (!SSL_is_init_finished(tls->ssl))
		return false;
	return size == 0 || SSL_write(tls->ssl, data, (int)size) == (int)size;
}

void tls_stream_shutdown(struct tls_stream *tls)
{
	ERR_clear_error();
	if (SSL_is_init_finished(tls->ssl))
		SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

size_t tls_stream_pending(struct tls_stream *tls, const uint8_t **data)
{
	char *start = NULL;
	long size = BIO_get_mem_data(tls->out, &start);

	*data = (const uint8_t *)start;
	return size > 0 ? (size_t)size : 0;
}

void tls_stream_taken(struct tls_stream *tls)
{
	(void)BIO_reset(tls->out);
}

const char *tls_stream_why(const struct tls_stream *tls)
{
	return tls->why;
}
