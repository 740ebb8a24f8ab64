// SPDX-License-Identifier: BSD-3-Clause
//
// The vhosts of client_vhost.h. A TLS one goes with its last connection, but not from inside that
// connection's last callback: a timer does it.
#include "http/client_vhost.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/http_tls.h"
#include "http/ws_conn.h"

#define VHOST_PLAIN "voicenode-client"

struct client_vhost {
	struct loop *loop;
	struct loop_exit at_exit;
	struct loop_timer timer;
	struct lws_vhost *vhost;
	SSL_CTX *ctx;
	char *name; // the library keeps the pointer
	unsigned reference_count;
};

static void vhost_free(void *arg)
{
	struct client_vhost *vhost = arg;

	loop_timer_stop(&vhost->timer);
	loop_exit_remove(vhost->loop, &vhost->at_exit);
	if (vhost->vhost != NULL && loop_lws(vhost->loop) != NULL)
		lws_vhost_destroy(vhost->vhost);
	SSL_CTX_free(vhost->ctx);
	free(vhost->name);
	free(vhost);
}

static struct lws_vhost *vhost_create(struct loop *loop, const char *name, SSL_CTX *ctx, void *user)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = ws_conn_protocols,
		.vhost_name = name,
		.retry_and_idle_policy = &ws_conn_no_pings,
		.user = user,
		.provided_client_ssl_ctx = ctx,
		.options = ctx == NULL ? 0 : LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.http_proxy_address = ":0", // none, whatever the environment says
	};

	return lws_create_vhost(loop_lws(loop), &info);
}

static struct client_vhost *vhost_make(struct loop *loop, char *name, const char *ca_path,
	const char *host, char *why, size_t size)
{
	struct client_vhost *vhost = calloc(1, sizeof(*vhost));

	snprintf(why, size, "out of memory");
	if (vhost == NULL) {
		free(name);
		return NULL;
	}
	vhost->loop = loop;
	vhost->name = name;
	vhost->at_exit = (struct loop_exit){.fn = vhost_free, .arg = vhost};
	loop_timer_init(loop, &vhost->timer, vhost_free, vhost);
	loop_exit_add(loop, &vhost->at_exit);
	vhost->ctx = http_tls_client(ca_path, host, why, size);
	if (vhost->ctx != NULL)
		vhost->vhost = vhost_create(loop, name, vhost->ctx, vhost);
	if (vhost->vhost != NULL)
		return vhost;
	vhost_free(vhost);
	return NULL;
}

struct lws_vhost *client_vhost_get(struct loop *loop, const char *ca_path, const char *host,
	struct client_vhost **out, char *why, size_t why_size)
{
	struct lws_vhost *found;
	struct client_vhost *vhost;
	char *name = NULL;

	*out = NULL;
	snprintf(why, why_size, "out of memory");
	if (host == NULL) {
		found = lws_get_vhost_by_name(loop_lws(loop), VHOST_PLAIN);
		return found != NULL ? found : vhost_create(loop, VHOST_PLAIN, NULL, NULL);
	}
	if (asprintf(&name, VHOST_PLAIN " %s %s", host, ca_path == NULL ? "" : ca_path) < 0)
		return NULL;
	found = lws_get_vhost_by_name(loop_lws(loop), name);
	if (found != NULL) {
		free(name);
		vhost = lws_vhost_user(found);
	} else {
		vhost = vhost_make(loop, name, ca_path, host, why, why_size);
	}
	if (vhost == NULL)
		return NULL;
	loop_timer_stop(&vhost->timer);
	vhost->reference_count++;
	*out = vhost;
	return vhost->vhost;
}

void client_vhost_put(struct client_vhost *vhost)
{
	if (vhost != NULL && --vhost->reference_count == 0)
		loop_timer_set(&vhost->timer, 0);
}
