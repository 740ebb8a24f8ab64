// SPDX-License-Identifier: BSD-3-Clause
//
// See nft.h. libnftables runs in this process; no program is started.
#include "supervisor/nft.h"

#include <ctype.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct text {
	char *bytes;
	size_t size, used;
	bool overflow;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *t, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(t->bytes + t->used, t->size - t->used, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->used)
		t->overflow = true;
	else
		t->used += (size_t)n;
}

void nft_table_name(const char *instance, char name[PLAN_NAME_SIZE + 16])
{
	snprintf(name, PLAN_NAME_SIZE + 16, "voicenode_%s", instance);
	for (char *c = name; *c != 0; c++) {
		if (!isalnum((unsigned char)*c))
			*c = '_';
	}
}

static void add_rule(struct text *t, const struct node_plan *plan, int family)
{
	const char *separator = "";
	bool any = false;

	for (unsigned i = 0; i < plan->address_count; i++)
		any = any || plan->addresses[i].family == family;
	if (!any)
		return;
	text_add(t, "\t\t%s daddr { ", family == AF_INET ? "ip" : "ip6");
	for (unsigned i = 0; i < plan->address_count; i++) {
		if (plan->addresses[i].family != family)
			continue;
		text_add(t, "%s%s", separator, plan->addresses[i].text);
		separator = ", ";
	}
	text_add(t, " } udp dport %u-%u counter drop\n", plan->port_first, plan->port_last);
}

int nft_build(const struct node_plan *plan, char text[NFT_TEXT_SIZE])
{
	char table[PLAN_NAME_SIZE + 16];
	struct text t = {.bytes = text, .size = NFT_TEXT_SIZE};

	nft_table_name(plan->instance, table);
	// Adding first makes the delete succeed in any case; all three are one transaction.
	text_add(&t, "add table inet %s\ndelete table inet %s\n", table, table);
	text_add(&t, "table inet %s {\n\tchain media {\n", table);
	text_add(&t, "\t\ttype filter hook prerouting priority raw; policy accept;\n");
	add_rule(&t, plan, AF_INET);
	add_rule(&t, plan, AF_INET6);
	text_add(&t, "\t}\n}\n");
	return t.overflow ? -E2BIG : 0;
}

// Runs 'commands'; what nftables says goes to 'error', without line ends.
static int run(const char *commands, char *error, size_t error_size)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	int result = 0;

	if (ctx == NULL) {
		snprintf(error, error_size, "libnftables could not start");
		return -EIO;
	}
	nft_ctx_buffer_output(ctx);
	nft_ctx_buffer_error(ctx);
	if (nft_run_cmd_from_buffer(ctx, commands) != 0) {
		snprintf(error, error_size, "%s", nft_ctx_get_error_buffer(ctx));
		error[strcspn(error, "\n")] = 0;
		result = -EIO;
	}
	nft_ctx_free(ctx);
	return result;
}

int nft_apply(const struct node_plan *plan, char *error, size_t error_size)
{
	char text[NFT_TEXT_SIZE];

	if (nft_build(plan, text) < 0) {
		snprintf(error, error_size, "rule too long");
		return -EIO;
	}
	return run(text, error, error_size);
}

void nft_remove(const char *instance)
{
	char table[PLAN_NAME_SIZE + 16], text[3 * sizeof(table)], error[256];

	nft_table_name(instance, table);
	snprintf(text, sizeof(text), "add table inet %s\ndelete table inet %s\n", table, table);
	// Nothing can be done about a failure: the next start deletes what is left.
	(void)run(text, error, sizeof(error));
}
