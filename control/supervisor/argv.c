// SPDX-License-Identifier: BSD-3-Clause
//
// See argv.h.
#include "supervisor/argv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "log/log.h"
#include "supervisor/runtime.h"

static const char *const idle_names[] = {
	[CONFIG_IDLE_ADAPTIVE] = "adaptive",
	[CONFIG_IDLE_POLL] = "poll",
};
static const char *const crypto_names[] = {
	[CONFIG_CRYPTO_AUTO] = "auto",
	[CONFIG_CRYPTO_IPSEC_MB] = "ipsec-mb",
	[CONFIG_CRYPTO_LIBSRTP2] = "libsrtp2",
};
static const char *const hugepages_names[] = {
	[CONFIG_HUGEPAGES_AUTO] = "auto",
	[CONFIG_HUGEPAGES_REQUIRED] = "required",
	[CONFIG_HUGEPAGES_OFF] = "off",
};
static const char *const steering_names[] = {
	[CONFIG_STEERING_AUTO] = "auto",
	[CONFIG_STEERING_FLOW] = "flow",
	[CONFIG_STEERING_RSS] = "rss",
	[CONFIG_STEERING_SOFTWARE] = "software",
};

void argv_init(struct argv *argv)
{
	argv->items[0] = NULL;
	argv->count = 0;
	argv->text_used = 0;
}

int argv_add(struct argv *argv, const char *format, ...)
{
	uint32_t left = ARGV_TEXT_SIZE - argv->text_used;
	va_list ap;

	if (argv->count == ARGV_ITEMS_MAX)
		return -E2BIG;
	va_start(ap, format);
	int n = vsnprintf(argv->text + argv->text_used, left, format, ap);
	va_end(ap);
	if (n < 0 || (uint32_t)n >= left)
		return -E2BIG;
	argv->items[argv->count++] = argv->text + argv->text_used;
	argv->items[argv->count] = NULL;
	argv->text_used += (uint32_t)n + 1;
	return 0;
}

// Appends "--name" and its value, unless an earlier argument did not fit.
#define ADD(err, argv, name, ...)                              \
	do {                                                   \
		if ((err) == 0)                                \
			(err) = argv_add((argv), "%s", name);  \
		if ((err) == 0)                                \
			(err) = argv_add((argv), __VA_ARGS__); \
	} while (0)

static int add_device(struct argv *argv, const struct node_plan *plan)
{
	int err = 0;

	if (plan->device_name[0] != 0)
		ADD(err, argv, "--device", "%s:%s", device_kind_name(plan->device),
			plan->device_name);
	else
		ADD(err, argv, "--device", "%s", device_kind_name(plan->device));
	ADD(err, argv, "--rung-note", "%s", plan->rung_note);
	for (unsigned i = 0; i < plan->address_count; i++)
		ADD(err, argv, "--address", "%s/%u", plan->addresses[i].text,
			plan->addresses[i].prefix);
	ADD(err, argv, "--ports", "%u-%u", plan->port_first, plan->port_last);
	return err;
}

static int add_cores(struct argv *argv, const struct node_config *config)
{
	char list[CONFIG_WORKERS_MAX * 6];
	size_t used = 0;
	int err = 0;

	for (uint32_t i = 0; i < config->workers.count; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%u",
			i == 0 ? "" : ",", config->workers.core[i]);
	ADD(err, argv, "--cores", "%s", list);
	return err;
}

int argv_dataplane(struct argv *argv, const struct node_plan *plan, uint32_t epoch)
{
	const struct node_config *config = plan->config;

	argv_init(argv);
	int err = argv_add(argv, "voicenode-dataplane");
	ADD(err, argv, "--epoch", "%u", epoch);
	if (err == 0)
		err = add_device(argv, plan);
	if (err == 0)
		err = add_cores(argv, config);
	ADD(err, argv, "--main-core", "%u", plan->main_core);
	ADD(err, argv, "--idle", "%s", idle_names[config->workers.idle]);
	ADD(err, argv, "--sleep-us-max", "%u", config->workers.sleep_us_max);
	ADD(err, argv, "--crypto-engine", "%s", crypto_names[config->workers.crypto_engine]);
	ADD(err, argv, "--seal-check-every", "%u", config->workers.seal_check_every);
	if (config->workers.capacity_pps != 0)
		ADD(err, argv, "--capacity-pps", "%u", config->workers.capacity_pps);
	ADD(err, argv, "--hugepages", "%s", hugepages_names[config->memory.hugepages]);
	ADD(err, argv, "--mbufs", "%u", config->memory.mbufs);
	ADD(err, argv, "--sessions", "%u", config->limits.sessions);
	ADD(err, argv, "--guilds", "%u", config->limits.guilds);
	ADD(err, argv, "--legs", "%u", config->limits.legs);
	ADD(err, argv, "--steering", "%s", steering_names[config->network.steering]);
	// Two prefixes in turn: a successor starts while the kernel still clears up the dead one.
	ADD(err, argv, "--file-prefix", RUNTIME_PREFIX_FORMAT, plan->instance, epoch & 1);
	ADD(err, argv, "--log-level", "%s", log_level_name(config->log_level));
	if (err == 0)
		err = argv_add(argv, "--");
	for (uint32_t i = 0; i < config->eal_extra_args.count && err == 0; i++)
		err = argv_add(argv, "%s", config->eal_extra_args.item[i]);
	return err;
}

int argv_control(
	struct argv *argv, const struct node_plan *plan, const struct argv_history *history)
{
	const struct config_list *announce = &plan->config->network.announce;

	argv_init(argv);
	int err = argv_add(argv, "voicenode-control");
	ADD(err, argv, "--config", "%s", plan->config_path);
	ADD(err, argv, "--epoch", "%u", history->epoch);
	// Clients are told the announced addresses where there are any, else the device's own.
	for (uint32_t i = 0; i < announce->count; i++)
		ADD(err, argv, "--address", "%s", announce->item[i]);
	for (unsigned i = 0; i < plan->address_count && announce->count == 0; i++)
		ADD(err, argv, "--address", "%s", plan->addresses[i].text);
	ADD(err, argv, "--endpoint", "%s", plan->endpoint);
	ADD(err, argv, "--tls-cert", "%s", plan->tls.certificate);
	ADD(err, argv, "--tls-key", "%s", plan->tls.key);
	ADD(err, argv, "--dataplane-first", "%u", history->dataplane_first);
	ADD(err, argv, "--started-ms", "%llu", (unsigned long long)history->started_ms);
	ADD(err, argv, "--listeners", "%u", plan->config->voice.listen.count);
	return err;
}
