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
	for (uint32_t i = 0; i < config->voice.listen.count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(config->voice.listen.item[i], config->voice.listen.item[j]) == 0)
				schema_problem_key(file, "voice.listen",
					"found \"%s\" twice; allowed: each once",
					config->voice.listen.item[i]);
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
