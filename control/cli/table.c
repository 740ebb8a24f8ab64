// SPDX-License-Identifier: BSD-3-Clause
//
// Tables whose columns line up.

#include "cli/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *table_clean(const char *text, char *out, size_t out_size)
{
	size_t size = 0;

	for (; *text != '\0' && size + 1 < out_size; text++)
		out[size++] = (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
	while (*text != '\0' && size > 0 && ((unsigned char)out[size - 1] & 0x80) != 0)
		size--; // not through the middle of a character
	out[size] = '\0';
	return out;
}

void table_init(struct table *table, const char *const *heads)
{
	*table = (struct table){.heads = heads};
	while (heads[table->column_count] != NULL && table->column_count < TABLE_COLUMNS_MAX)
		table->column_count++;
}

void table_text(struct table *table, const char *text)
{
	if (table->cell_count == table->cell_room) {
		size_t room = table->cell_room == 0 ? 256 : table->cell_room * 2;
		void *more = reallocarray(table->cells, room, TABLE_CELL_SIZE);

		if (more == NULL) {
			table->no_memory = true;
			return;
		}
		table->cells = more;
		table->cell_room = room;
	}
	table_clean(text, table->cells[table->cell_count++], TABLE_CELL_SIZE);
}

void table_number(struct table *table, int64_t number)
{
	char digits[32], text[48];
	size_t size = 0;
	int count = snprintf(digits, sizeof(digits), "%" PRId64, number);

	for (int i = 0; i < count; i++) {
		if (i > 0 && digits[i - 1] != '-' && (count - i) % 3 == 0)
			text[size++] = ' ';
		text[size++] = digits[i];
	}
	text[size] = '\0';
	table_text(table, text);
}

// Characters of UTF-8, which is what a column is wide.
static int width_of(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(FILE *out, const char *text, int width, bool left, bool last)
{
	int fill = width - width_of(text);

	fprintf(out, "%*s%s%*s%s", left ? 0 : fill, "", text, left && !last ? fill : 0, "",
		last ? "\n" : "  ");
}

void table_print(struct table *table, FILE *out)
{
	unsigned columns = table->column_count;
	size_t rows = table->cell_count / columns;
	int width[TABLE_COLUMNS_MAX];

	for (unsigned c = 0; c < columns; c++) {
		width[c] = width_of(table->heads[c]) - (table->heads[c][0] == '<');
		for (size_t r = 0; r < rows; r++) {
			int w = width_of(table->cells[r * columns + c]);

			width[c] = w > width[c] ? w : width[c];
		}
	}
	for (unsigned c = 0; c < columns; c++) {
		bool left = table->heads[c][0] == '<';

		print_cell(out, table->heads[c] + left, width[c], left, c + 1 == columns);
	}
	for (size_t r = 0; r < rows; r++)
		for (unsigned c = 0; c < columns; c++)
			print_cell(out, table->cells[r * columns + c], width[c],
				table->heads[c][0] == '<', c + 1 == columns);
	if (table->no_memory)
		fputs("... (out of memory)\n", out);
	free(table->cells);
	table->cells = NULL;
	table->cell_count = table->cell_room = 0;
}
