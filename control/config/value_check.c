// SPDX-License-Identifier: BSD-3-Clause
//
// The checks that rows of the schema tables name.

#include <ctype.h>
#include <string.h>
#include <sys/un.h>

#include "config/value.h"

static bool no(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return false;
}

// "holds a space", "holds \"/\"": the character at 'text', whole if it has several bytes.
static bool holds(const char *text, char *why, size_t why_size)
{
	int size = 1;

	while (((unsigned char)text[0] & 0x80) != 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
		size++;
	if (*text == ' ')
		snprintf(why, why_size, "holds a space");
	else
		snprintf(why, why_size, "holds \"%.*s\"", size, text);
	return false;
}

bool check_device(const char *text, char *why, size_t why_size)
{
	enum config_device_kind kind;
	char arg[CONFIG_TEXT_SIZE];

	return value_device(text, &kind, arg, why, why_size);
}

bool check_address(const char *text, char *why, size_t why_size)
{
	struct config_prefix prefix;

	return strcmp(text, "host") == 0 || value_prefix(text, &prefix, why, why_size);
}

bool check_ports(const char *text, char *why, size_t why_size)
{
	uint32_t count;
	uint16_t first;

	return value_ports(text, &first, &count, why, why_size);
}

bool check_cores(const char *text, char *why, size_t why_size)
{
	uint16_t core[CONFIG_WORKERS_MAX];
	uint32_t count;

	return strcmp(text, "auto") == 0 || value_cores(text, core, &count, why, why_size);
}

bool check_listen(const char *text, char *why, size_t why_size)
{
	struct config_host_port at;

	return value_host_port(text, true, &at, why, why_size);
}

bool check_listen_or_empty(const char *text, char *why, size_t why_size)
{
	return text[0] == '\0' || check_listen(text, why, why_size);
}

bool check_endpoint_or_empty(const char *text, char *why, size_t why_size)
{
	struct config_host_port at;

	return text[0] == '\0' || value_host_port(text, false, &at, why, why_size);
}

bool check_name(const char *text, char *why, size_t why_size)
{
	if (text[0] == '\0')
		return no(why, why_size, "is empty");
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && strchr("._-", *text) == NULL)
			return holds(text, why, why_size);
	return true;
}

bool check_name_or_empty(const char *text, char *why, size_t why_size)
{
	return text[0] == '\0' || check_name(text, why, why_size);
}

bool check_path(const char *text, char *why, size_t why_size)
{
	return text[0] == '/' || no(why, why_size, "does not begin with /");
}

bool check_path_or_empty(const char *text, char *why, size_t why_size)
{
	return text[0] == '\0' || check_path(text, why, why_size);
}

bool check_socket(const char *text, char *why, size_t why_size)
{
	const size_t path_size = sizeof(((struct sockaddr_un *)0)->sun_path);

	if (!check_path(text, why, why_size))
		return false;
	if (strlen(text) < path_size)
		return true;
	snprintf(why, why_size, "is longer than the %zu bytes of a socket's path", path_size - 1);
	return false;
}

bool check_ws_url(const char *text, char *why, size_t why_size)
{
	const char *host = strncmp(text, "ws://", 5) == 0    ? text + 5
			   : strncmp(text, "wss://", 6) == 0 ? text + 6
							     : NULL;
	char host_port[CONFIG_TEXT_SIZE + 8];
	struct config_host_port at;
	size_t size;
	bool has_port;

	if (host == NULL)
		return no(why, why_size, "does not begin with ws:// or wss://");
	for (const char *c = text; *c != '\0'; c++)
		if (!isgraph((unsigned char)*c))
			return no(why, why_size, "holds spaces or characters that a URL has not");
	size = strcspn(host, "/?#");
	if (size >= CONFIG_TEXT_SIZE)
		return no(why, why_size, "is too long");
	if (memchr(host, '@', size) != NULL)
		return no(why, why_size, "holds a user name");
	memcpy(host_port, host, size);
	host_port[size] = '\0';
	has_port =
		host[0] == '[' ? strstr(host_port, "]:") != NULL : strchr(host_port, ':') != NULL;
	if (!has_port)
		memcpy(host_port + size, ":443", 5); // any, for the check of the host
	return value_host_port(host_port, false, &at, why, why_size);
}

bool check_ws_url_or_empty(const char *text, char *why, size_t why_size)
{
	return text[0] == '\0' || check_ws_url(text, why, why_size);
}

bool check_secret(const char *text, char *why, size_t why_size)
{
	if (text[0] == '\0')
		return no(why, why_size, "is empty");
	for (; *text != '\0'; text++)
		if (!isgraph((unsigned char)*text))
			return no(why, why_size, "holds spaces or characters beyond ASCII");
	return true;
}
