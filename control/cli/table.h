// SPDX-License-Identifier: BSD-3-Clause
//
// Text tables for people: columns as wide as their widest cell, names to the left, numbers to the
// right. Control characters of what is shown are replaced.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 12u
#define TABLE_CELL_SIZE 64u // bytes, with NUL; a longer cell is cut

// Collects cells, row by row.
struct table {
	const char *const *heads; // ends with NULL; '<' before a head: to the left
	char (*cells)[TABLE_CELL_SIZE];
	size_t cell_count, cell_room;
	unsigned column_count;
	bool no_memory;
};

void table_init(struct table *table, const char *const *heads);
void table_text(struct table *table, const char *text);
void table_number(struct table *table, int64_t number); // digits in groups of three
// Prints the heads and all full rows, and frees the cells.
void table_print(struct table *table, FILE *out);

// Replaces control characters; 'out' holds 'out_size' bytes. Returns 'out'.
const char *table_clean(const char *text, char *out, size_t out_size);
