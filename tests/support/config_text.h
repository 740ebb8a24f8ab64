// SPDX-License-Identifier: BSD-3-Clause
//
// For the tests of voicenode.cfg: a text, or one key of it, is read or refused for a reason. Each
// binary that includes this has its own state.
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct node_config config;
static struct config_problems problems;
static struct config_facts facts = {.hostname = "host.example.org"};

static inline int setup(void **state)
{
	(void)state;
	CPU_ZERO(&facts.cpus);
	for (unsigned cpu = 0; cpu < 8; cpu++) // 0, 2, 3 ... 7
		if (cpu != 1)
			CPU_SET(cpu, &facts.cpus);
	problems = (struct config_problems){0};
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	config_problems_free(&problems);
	return 0;
}

// The problems of the last parse are forgotten first.
static inline int parse(const char *text)
{
	config_problems_free(&problems);
	return node_config_parse("f.cfg", text, strlen(text), &facts, &config, &problems);
}

static inline void expect_ok(const char *text)
{
	int error = parse(text);

	if (error != 0)
		print_error("%s\n%s", text, problems.text);
	assert_int_equal(error, 0);
	assert_int_equal(problems.count, 0);
	assert_null(problems.text);
}

static inline void expect_problem(const char *text, const char *line)
{
	int error = parse(text);

	if (error != -EINVAL || strstr(problems.text, line) == NULL)
		print_error("%s\nexpected: %s\nfound: %s", text, line,
			problems.text == NULL ? "nothing" : problems.text);
	assert_int_equal(error, -EINVAL);
	assert_non_null(strstr(problems.text, line));
}

// "a.b.c" and "1" to "a = { b = { c = 1; }; };".
static inline void one_key(char *out, size_t out_size, const char *path, const char *value)
{
	char groups[128], *rest = groups, *part;
	size_t size = 0;
	unsigned depth = 0;

	snprintf(groups, sizeof(groups), "%s", path);
	while ((part = strsep(&rest, ".")) != NULL) {
		size += (size_t)snprintf(
			out + size, out_size - size, rest == NULL ? "%s = " : "%s = { ", part);
		depth += rest != NULL;
	}
	size += (size_t)snprintf(out + size, out_size - size, "%s;", value);
	for (; depth > 0; depth--)
		size += (size_t)snprintf(out + size, out_size - size, " };");
	assert_true(size < out_size);
}

static inline void expect_key_ok(const char *path, const char *value)
{
	char text[1024];

	one_key(text, sizeof(text), path, value);
	expect_ok(text);
}

// 'why' NULL: any. The problem names file, line and key.
static inline void expect_key_problem(const char *path, const char *value, const char *why)
{
	char text[1024], where[160];

	one_key(text, sizeof(text), path, value);
	snprintf(where, sizeof(where), "f.cfg:1: %s", path);
	expect_problem(text, where);
	if (why != NULL)
		expect_problem(text, why);
	assert_non_null(strstr(problems.text, "allowed: "));
}
