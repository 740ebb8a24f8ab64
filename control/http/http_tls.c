// SPDX-License-Identifier: BSD-3-Clause
//
// The contexts of http_tls.h. Every path clears OpenSSL's error queue: an error left by one
// connection must not be blamed on the next.
#include "http/http_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void demand(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

bool http_tls_serve(
	SSL_CTX *ctx, const char *cert_path, const char *key_path, char *why, size_t why_size)
{
	bool good = false;

	ERR_clear_error();
	demand(ctx);
	// The library's own would choose the context by the name that the client says, among all
	// servers of this process.
	SSL_CTX_set_tlsext_servername_callback(ctx, NULL);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) != 1)
		snprintf(why, why_size,
			"The certificate %s cannot be read: give the path of a PEM file with the "
			"chain, leaf first.",
			cert_path);
	else if (key_path == NULL ||
		 SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) != 1)
		snprintf(why, why_size,
			"The private key %s cannot be read or does not belong to the certificate "
			"%s: give the PEM file of its key.",
			key_path == NULL ? "(none given)" : key_path, cert_path);
	else
		good = true;
	ERR_clear_error();
	return good;
}

bool http_tls_check(const char *cert_path, const char *key_path, char *why, size_t why_size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool good = false;

	if (ctx == NULL)
		snprintf(why, why_size, "TLS cannot start: out of memory.");
	else
		good = http_tls_serve(ctx, cert_path, key_path, why, why_size);
	SSL_CTX_free(ctx);
	return good;
}

// An address takes no server name indication (RFC 6066 section 3), but the library sends one: this
// runs before the first message is made.
static void forget_name(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where & SSL_CB_HANDSHAKE_START)
		SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, NULL);
}

static bool expect_host(SSL_CTX *ctx, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1) {
		SSL_CTX_set_info_callback(ctx, forget_name);
		return true;
	}
	return host[0] != '\0' && X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

SSL_CTX *http_tls_client(const char *ca_path, const char *host, char *why, size_t why_size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int loaded;

	ERR_clear_error();
	if (ctx == NULL) {
		snprintf(why, why_size, "TLS cannot start: out of memory");
		return NULL;
	}
	demand(ctx);
	loaded = ca_path == NULL ? SSL_CTX_set_default_verify_paths(ctx)
				 : SSL_CTX_load_verify_locations(ctx, ca_path, NULL);
	if (loaded == 1 && expect_host(ctx, host)) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		return ctx;
	}
	snprintf(why, why_size,
		loaded == 1 ? "no certificate can be for the host %s"
			    : "the CA file %s cannot be read",
		loaded == 1       ? host
		: ca_path == NULL ? "of the system"
				  : ca_path);
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}
