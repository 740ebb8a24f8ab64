// SPDX-License-Identifier: BSD-3-Clause
//
// What must be true between the keys of voicenode.cfg, and the struct's parsed fields.

#include <string.h>

#include "config/schema.h"
#include "config/value.h"

// The host's name in the characters of check_name(); with the instance where there are several.
static void host_name(const char *hostname, const char *instance, char *out, size_t out_size)
{
	char why[SCHEMA_WHY_SIZE];
	int room = (int)(out_size - strlen(instance)) - 2;

	if (strcmp(instance, "default") == 0)
		snprintf(out, out_size, "%.63s", hostname);
	else if (hostname[0] == '\0' || room <= 0)
		snprintf(out, out_size, "%.63s", instance);
	else
		snprintf(out, out_size, "%.*s-%s", room, hostname, instance);
	for (char *c = out; *c != '\0'; c++) {
		char one[2] = {*c, '\0'};

		if (!check_name(one, why, sizeof(why)))
			*c = '-';
	}
	if (out[0] == '\0')
		snprintf(out, out_size, "node");
}

// "0-3,6" of the CPUs that this process may use.
static void cpus_text(const cpu_set_t *cpus, char *out, size_t out_size)
{
	size_t size = 0;

	out[0] = '\0';
	for (int cpu = 0; cpu < CPU_SETSIZE && size < out_size; cpu++) {
		int last = cpu;

		if (!CPU_ISSET((size_t)cpu, cpus))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET((size_t)last + 1, cpus))
			last++;
		size += (size_t)snprintf(
			out + size, out_size - size, "%s%d", size == 0 ? "" : ",", cpu);
		if (last > cpu && size < out_size)
			size += (size_t)snprintf(out + size, out_size - size, "-%d", last);
		cpu = last;
	}
}

static void finish_cores(
	struct schema_file *file, struct node_config *config, const struct config_facts *facts)
{
	char why[SCHEMA_WHY_SIZE], allowed[128];
	uint16_t core[CONFIG_WORKERS_MAX];
	uint32_t count = 0, cpu = 0;

	if (strcmp(config->workers.cores, "auto") == 0) {
		for (uint32_t i = 0; i < config->workers.count && CPU_COUNT(&facts->cpus) > 0;
			i++) {
			while (!CPU_ISSET(cpu % CPU_SETSIZE, &facts->cpus))
				cpu++;
			config->workers.core[i] = (uint16_t)(cpu++ % CPU_SETSIZE);
		}
		return;
	}
	if (!value_cores(config->workers.cores, core, &count, why, sizeof(why)))
		return; // told with its line
	cpus_text(&facts->cpus, allowed, sizeof(allowed));
	for (uint32_t i = 0; i < count; i++)
		if (!CPU_ISSET(core[i], &facts->cpus)) {
			schema_problem_key(file, "workers.cores",
				"found \"%s\", but core %u is not among the cores of this process; "
				"allowed: %s",
				config->workers.cores, core[i], allowed);
			return;
		}
	if (config->workers.count != 0 && count != config->workers.count) {
		schema_problem_key(file, "workers.cores",
			"found \"%s\", %u core%s for the %u port%s of network.media_ports \"%s\"; "
			"allowed: one core for each port, or \"auto\"",
			config->workers.cores, count, count == 1 ? "" : "s", config->workers.count,
			config->workers.count == 1 ? "" : "s", config->network.media_ports);
		return;
	}
	memcpy(config->workers.core, core, count * sizeof(core[0]));
}

// Only a port that DPDK owns takes rules; only some devices spread flows over their queues.
static void check_steering(struct schema_file *file, const struct node_config *config)
{
	enum config_device_kind kind = config->network.device_kind;
	bool may_take_rules = kind == CONFIG_DEVICE_AUTO || kind == CONFIG_DEVICE_PCI;

	if (config->network.steering == CONFIG_STEERING_FLOW && !may_take_rules)
		schema_problem_key(file, "network.steering",
			"found \"flow\", but the device \"%s\" takes no rules; allowed there: "
			"\"auto\" or \"software\"%s",
			config->network.device,
			kind == CONFIG_DEVICE_NULL || kind == CONFIG_DEVICE_MEMIF ? ""
										  : ", or \"rss\"");
	if (config->network.steering != CONFIG_STEERING_RSS)
		return;
	if (kind == CONFIG_DEVICE_NULL || kind == CONFIG_DEVICE_MEMIF)
		schema_problem_key(file, "network.steering",
			"found \"rss\", but the device \"%s\" does not spread packets; allowed "
			"there: \"auto\" or \"software\"",
			config->network.device);
	else if (config->workers.count == 1)
		schema_problem_key(file, "network.steering",
			"found \"rss\" for the one worker of network.media_ports \"%s\", which has "
			"nothing to spread over; allowed there: \"auto\" or \"software\"",
			config->network.media_ports);
}

// The device null has no address of its own, and a client must be told one.
static void check_told_address(struct schema_file *file, const struct node_config *config)
{
	if (config->network.device_kind == CONFIG_DEVICE_NULL &&
		config->network.announce.count == 0 && config->network.prefix_count == 0)
		schema_problem_key(file, "network.announce",
			"found none, and the device \"null\" has no address that clients could be "
			"told; allowed: one like \"203.0.113.7\"");
}

static void finish_network(struct schema_file *file, struct node_config *config)
{
	char why[SCHEMA_WHY_SIZE];
	uint16_t first = 0;
	bool has_kernel = false, has_kind;

	if (value_ports(
		    config->network.media_ports, &first, &config->workers.count, why, sizeof(why)))
		for (uint32_t i = 0; i < config->workers.count; i++)
			config->workers.port[i] = (uint16_t)(first + i);

	has_kind = value_device(config->network.device, &config->network.device_kind,
		config->network.device_arg, why, sizeof(why));
	has_kernel = config->network.device_kind == CONFIG_DEVICE_AUTO ||
		     config->network.device_kind == CONFIG_DEVICE_AFXDP ||
		     config->network.device_kind == CONFIG_DEVICE_AFPACKET ||
		     config->network.device_kind == CONFIG_DEVICE_NULL;
	for (uint32_t i = 0; i < config->network.addresses.count; i++) {
		const char *text = config->network.addresses.item[i];
		struct config_prefix *prefix =
			&config->network.prefix[config->network.prefix_count];

		if (strcmp(text, "host") != 0) {
			config->network.prefix_count +=
				value_prefix(text, prefix, why, sizeof(why));
			continue;
		}
		config->network.addresses_host = true;
		if (has_kind && !has_kernel)
			schema_problem_key(file, "network.addresses",
				"found \"host\", but the kernel has no interface for the device "
				"\"%s\"; allowed: addresses like \"192.0.2.10/24\"",
				config->network.device);
	}
	if (has_kind) {
		check_steering(file, config);
		check_told_address(file, config);
	}
}

// Whether one socket's address takes what the other one wants: "::" takes IPv4, too.
static bool listeners_meet(const struct config_host_port *a, const struct config_host_port *b)
{
	bool a_is_6 = strchr(a->host, ':') != NULL, b_is_6 = strchr(b->host, ':') != NULL;

	if (a->port != b->port || a->port == 0)
		return false;
	if (strcmp(a->host, b->host) == 0 || strcmp(a->host, "::") == 0 ||
		strcmp(b->host, "::") == 0)
		return true;
	return a_is_6 == b_is_6 && !a_is_6 &&
	       (strcmp(a->host, "0.0.0.0") == 0 || strcmp(b->host, "0.0.0.0") == 0);
}

static void check_listeners(struct schema_file *file, const struct node_config *config)
{
	for (uint32_t i = 0; i < config->voice.listen.count; i++) {
		const char *text = config->voice.listen.item[i];
		uint32_t other = 0;

		while (other < i && !listeners_meet(&config->voice.listen_at[other],
					    &config->voice.listen_at[i]))
			other++;
		if (other < i && strcmp(config->voice.listen.item[other], text) == 0)
			schema_problem_key(file, "voice.listen",
				"found \"%s\" twice; allowed: each once", text);
		else if (other < i)
			schema_problem_key(file, "voice.listen",
				"found \"%s\" and \"%s\", one of which takes the other's "
				"address; allowed: each address and port once",
				config->voice.listen.item[other], text);
		if (config->metrics.listen[0] != '\0' &&
			listeners_meet(&config->metrics.listen_at, &config->voice.listen_at[i]))
			schema_problem_key(file, "metrics.listen",
				"found \"%s\", which is where the voice signaling listens "
				"(voice.listen \"%s\"); allowed: another port",
				config->metrics.listen, text);
	}
}

static void finish_voice(struct schema_file *file, struct node_config *config)
{
	char why[SCHEMA_WHY_SIZE];
	bool has_certificate = config->voice.tls_certificate[0] != '\0';

	for (uint32_t i = 0; i < config->voice.listen.count; i++)
		(void)value_host_port(config->voice.listen.item[i], true,
			&config->voice.listen_at[i], why, sizeof(why));
	if (config->metrics.listen[0] != '\0')
		(void)value_host_port(
			config->metrics.listen, true, &config->metrics.listen_at, why, sizeof(why));
	check_listeners(file, config);
	if (has_certificate != (config->voice.tls_key[0] != '\0'))
		schema_problem_key(file,
			has_certificate ? "voice.tls.certificate" : "voice.tls.key",
			"found without voice.tls.%s; allowed: both, or none for a local authority",
			has_certificate ? "key" : "certificate");
}

void node_config_finish(struct schema_file *file, void *base, const void *ctx)
{
	struct node_config *config = base;
	const struct config_facts *facts = ctx;

	if (config->node.name[0] == '\0')
		host_name(facts->hostname, config->node.instance, config->node.name,
			sizeof(config->node.name));
	finish_network(file, config);
	finish_cores(file, config, facts);
	finish_voice(file, config);
}

uint32_t node_config_shared_cores(const struct node_config *config, char *out, size_t out_size)
{
	uint32_t shared = 0;
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < config->workers.count; i++) {
		char who[CONFIG_WORKERS_MAX * 4] = "";
		uint32_t count = 0;
		size_t size = 0;
		bool is_first = true;

		for (uint32_t j = 0; j < config->workers.count; j++) {
			if (config->workers.core[j] != config->workers.core[i])
				continue;
			is_first = is_first && j >= i;
			count++;
			size += (size_t)snprintf(
				who + size, sizeof(who) - size, "%s%u", size == 0 ? "" : ",", j);
		}
		if (count < 2 || !is_first)
			continue;
		shared++;
		if (used < out_size)
			used += (size_t)snprintf(out + used, out_size - used,
				"%score %u (workers %s)", used == 0 ? "" : ", ",
				config->workers.core[i], who);
	}
	return shared;
}
