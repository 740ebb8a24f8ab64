// SPDX-License-Identifier: BSD-3-Clause
//
// rtpsize sealing and opening by OpenSSL EVP and libsodium.
#include "load/rtpsize_client.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#define GCM_NONCE_SIZE 12u
#define XCHACHA_NONCE_SIZE 24u

static const char *const mode_names[RTPSIZE_CLIENT_MODE_COUNT] = {
	[RTPSIZE_CLIENT_AES256_GCM] = "aead_aes256_gcm_rtpsize",
	[RTPSIZE_CLIENT_XCHACHA20_POLY1305] = "aead_xchacha20_poly1305_rtpsize",
};

const char *rtpsize_client_mode_name(enum rtpsize_client_mode mode)
{
	return mode_names[mode];
}

bool rtpsize_client_mode_parse(const char *name, enum rtpsize_client_mode *mode)
{
	for (unsigned i = 0; i < RTPSIZE_CLIENT_MODE_COUNT; i++) {
		if (strcmp(name, mode_names[i]) == 0) {
			*mode = (enum rtpsize_client_mode)i;
			return true;
		}
	}
	return false;
}

int rtpsize_client_init(struct rtpsize_client *client, enum rtpsize_client_mode mode,
	const uint8_t key[RTPSIZE_CLIENT_KEY_SIZE])
{
	memset(client, 0, sizeof(*client));
	client->mode = mode;
	memcpy(client->key, key, sizeof(client->key));
	if (mode != RTPSIZE_CLIENT_AES256_GCM)
		return 0;

	client->seal_ctx = EVP_CIPHER_CTX_new();
	client->open_ctx = EVP_CIPHER_CTX_new();
	if (client->seal_ctx == NULL || client->open_ctx == NULL) {
		rtpsize_client_fini(client);
		return -ENOMEM;
	}
	// The IV's default length is 12 bytes, which is what the protocol has.
	if (EVP_EncryptInit_ex(client->seal_ctx, EVP_aes_256_gcm(), NULL, key, NULL) != 1 ||
		EVP_DecryptInit_ex(client->open_ctx, EVP_aes_256_gcm(), NULL, key, NULL) != 1) {
		rtpsize_client_fini(client);
		return -EIO;
	}
	return 0;
}

void rtpsize_client_fini(struct rtpsize_client *client)
{
	EVP_CIPHER_CTX_free(client->seal_ctx);
	EVP_CIPHER_CTX_free(client->open_ctx);
	explicit_bzero(client, sizeof(*client));
}

int rtpsize_client_aad_size(const uint8_t *packet, size_t packet_size, size_t *aad_size)
{
	if (packet_size < 8 || packet[0] >> 6 != 2)
		return -EPROTO;
	// RFC 5761: second bytes 192 to 223 are RTCP packet types.
	if (packet[1] >= 192 && packet[1] <= 223) {
		*aad_size = 8;
		return 0;
	}

	size_t size = 12 + 4 * (size_t)(packet[0] & 0x0f);

	if ((packet[0] & 0x10) != 0)
		size += 4;
	if (packet_size < size)
		return -EPROTO;
	*aad_size = size;
	return 0;
}

static int gcm_seal(struct rtpsize_client *client, const uint8_t *packet, size_t aad_size,
	size_t packet_size, const uint8_t *nonce, uint8_t *out)
{
	int size;

	if (EVP_EncryptInit_ex(client->seal_ctx, NULL, NULL, NULL, nonce) != 1 ||
		EVP_EncryptUpdate(client->seal_ctx, NULL, &size, packet, (int)aad_size) != 1 ||
		EVP_EncryptUpdate(client->seal_ctx, out + aad_size, &size, packet + aad_size,
			(int)(packet_size - aad_size)) != 1 ||
		EVP_EncryptFinal_ex(client->seal_ctx, out + packet_size, &size) != 1 ||
		EVP_CIPHER_CTX_ctrl(client->seal_ctx, EVP_CTRL_GCM_GET_TAG, RTPSIZE_CLIENT_TAG_SIZE,
			out + packet_size) != 1)
		return -EIO;
	return 0;
}

static int gcm_open(struct rtpsize_client *client, const uint8_t *packet, size_t aad_size,
	size_t plain_size, const uint8_t *nonce, uint8_t *out)
{
	const uint8_t *tag = packet + aad_size + plain_size;
	int size;

	if (EVP_DecryptInit_ex(client->open_ctx, NULL, NULL, NULL, nonce) != 1 ||
		EVP_DecryptUpdate(client->open_ctx, NULL, &size, packet, (int)aad_size) != 1 ||
		EVP_DecryptUpdate(client->open_ctx, out + aad_size, &size, packet + aad_size,
			(int)plain_size) != 1 ||
		// OpenSSL wants a writable pointer but only reads the tag.
		EVP_CIPHER_CTX_ctrl(client->open_ctx, EVP_CTRL_GCM_SET_TAG, RTPSIZE_CLIENT_TAG_SIZE,
			(void *)(uintptr_t)tag) != 1 ||
		EVP_DecryptFinal_ex(client->open_ctx, out + aad_size + plain_size, &size) != 1)
		return -EBADMSG;
	return 0;
}

int rtpsize_client_seal(struct rtpsize_client *client, const uint8_t *packet, size_t packet_size,
	const uint8_t suffix[RTPSIZE_CLIENT_SUFFIX_SIZE], uint8_t *out)
{
	uint8_t nonce[XCHACHA_NONCE_SIZE] = {0};
	size_t aad_size;
	int status = rtpsize_client_aad_size(packet, packet_size, &aad_size);

	if (status != 0)
		return status;
	memcpy(nonce, suffix, RTPSIZE_CLIENT_SUFFIX_SIZE);
	memcpy(out, packet, aad_size);
	if (client->mode == RTPSIZE_CLIENT_AES256_GCM)
		status = gcm_seal(client, packet, aad_size, packet_size, nonce, out);
	else if (crypto_aead_xchacha20poly1305_ietf_encrypt(out + aad_size, NULL, packet + aad_size,
			 packet_size - aad_size, packet, aad_size, NULL, nonce, client->key) != 0)
		status = -EIO;
	memcpy(out + packet_size + RTPSIZE_CLIENT_TAG_SIZE, suffix, RTPSIZE_CLIENT_SUFFIX_SIZE);
	return status;
}

int rtpsize_client_open(struct rtpsize_client *client, const uint8_t *packet, size_t packet_size,
	uint8_t *out, size_t *out_size)
{
	uint8_t nonce[XCHACHA_NONCE_SIZE] = {0};
	size_t aad_size;
	int status = rtpsize_client_aad_size(packet, packet_size, &aad_size);

	if (status != 0)
		return status;
	if (packet_size < aad_size + RTPSIZE_CLIENT_OVERHEAD_SIZE)
		return -EPROTO;

	size_t plain_size = packet_size - aad_size - RTPSIZE_CLIENT_OVERHEAD_SIZE;

	memcpy(nonce, packet + packet_size - RTPSIZE_CLIENT_SUFFIX_SIZE,
		RTPSIZE_CLIENT_SUFFIX_SIZE);
	memcpy(out, packet, aad_size);
	if (client->mode == RTPSIZE_CLIENT_AES256_GCM)
		status = gcm_open(client, packet, aad_size, plain_size, nonce, out);
	else if (crypto_aead_xchacha20poly1305_ietf_decrypt(out + aad_size, NULL, NULL,
			 packet + aad_size, plain_size + RTPSIZE_CLIENT_TAG_SIZE, packet, aad_size,
			 nonce, client->key) != 0)
		status = -EBADMSG;
	if (status == 0)
		*out_size = aad_size + plain_size;
	return status;
}
