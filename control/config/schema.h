// SPDX-License-Identifier: BSD-3-Clause
//
// The schema table and the engine that reads a libconfig tree by it. A row is a key: its type,
// bounds, default, help and place in the struct. node_schema.c and gateway_schema.c hold the
// tables; schema_load() runs one: scan.c (what libconfig hides), libconfig, schema_walk.c (which
// keys), schema_value.c (which values), then the table's own finish(), which sees keys together.
//
// Used inside config/ only.
#pragma once

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

#define SCHEMA_KEY_SIZE 256u // bytes of "guilds[3].channels[0].id", with NUL
#define SCHEMA_WHY_SIZE 256u
#define SCHEMA_DEPTH_MAX 16u // of groups and lists in a file

enum schema_type {
	SCHEMA_GROUP = 0, // holds the rows whose paths begin with its own
	SCHEMA_NUMBER,    // uint32_t; 0 where 'words' has a word for it that was written
	SCHEMA_BOOL,      // bool
	SCHEMA_WORD,      // an enum: the index in 'words'
	SCHEMA_TEXT,      // char[size]
	SCHEMA_ID,        // uint64_t, not 0, written as a string
	SCHEMA_TEXTS,     // char[max][size] and a count
	SCHEMA_WORDS,     // enum[max] and a count; no word twice
	SCHEMA_IDS,       // uint64_t *, allocated, and a count
	SCHEMA_GROUPS,    // struct *, allocated, and a count; 'rows' are the keys of one
};

// Whether 'text' is allowed. If not, 'why' says so: "is not an address".
typedef bool schema_check_fn(const char *text, char *why, size_t why_size);

struct schema_row {
	const char *path; // "voice.tls.key"; of a row of GROUPS: "id"
	enum schema_type type;
	const char *fallback; // default as the file writes it; NULL: a row of GROUPS must have it
	const char *help;     // lines of the sample file, separated by line feeds
	const char *allowed;  // TEXT, TEXTS: what it may be; others say it by their bounds
	int64_t min, max;     // NUMBER: the value; TEXT: bytes; lists: items
	const char *const *words;      // ends with NULL; NUMBER: one word, stored as 0; or NULL
	const char *zero;              // NUMBER: what a 0 would be, "a budget of zero"; NULL
	schema_check_fn *check;        // TEXT, TEXTS; NULL: any text
	size_t offset;                 // of the field, or of the first item or of the pointer
	size_t size;                   // bytes of the field or item
	size_t count_offset;           // lists: of their uint32_t
	const struct schema_row *rows; // GROUPS
	unsigned row_count;
	bool secret;  // never quoted in a problem
	bool restart; // a change needs a restart
};

// One file while it is read.
struct schema_file {
	const char *name;
	struct config_problems *problems;
	config_t *tree;
	bool is_of_other; // the other program's file: said, and nothing else is looked at
	bool no_memory;
};

typedef void schema_finish_fn(struct schema_file *file, void *base, const void *ctx);

// Parse what strings hold into the struct's other fields and check keys against each other; fields
// that were refused are empty.
schema_finish_fn node_config_finish;    // ctx: struct config_facts
schema_finish_fn gateway_config_finish; // ctx: NULL

// What tells that a file is the other program's: keys that only the other one has.
struct schema_other {
	const char *const *keys; // ends with NULL
	const char *what;        // "a gateway's configuration"
	const char *cure;        // "check it with ..."
};

// Keys that only one of the two files has.
extern const char *const node_only_keys[];    // node_schema.c
extern const char *const gateway_only_keys[]; // gateway_schema.c

struct schema {
	const char *title;           // the sample file's first lines
	const char *const *own_keys; // that only this program has; ends with NULL
	struct schema_other other;
	const struct schema_row *rows;
	unsigned row_count;
	size_t struct_size;
	schema_finish_fn *finish;
};

// Fills 'base' with the defaults, then with 'text'. Return values as in config_load.h.
int schema_load(const struct schema *schema, const char *name, const char *text, size_t text_size,
	const void *finish_ctx, void *base, struct config_problems *problems)
	__attribute__((warn_unused_result));
// Frees what GROUPS and IDS allocated and wipes the whole struct.
void schema_free(const struct schema_row *rows, unsigned row_count, void *base, size_t base_size);
// The sample file. 0 or -ENOMEM.
int schema_sample(const struct schema *schema, char **text) __attribute__((warn_unused_result));

// "a whole number from 1 to 64".
void schema_allowed(const struct schema_row *row, char *out, size_t out_size);

// Checks every key of 'group', whose path is 'path' ("" for the whole file).
void schema_walk(struct schema_file *file, const struct schema_row *rows, unsigned row_count,
	const config_setting_t *group, const char *path, void *base);
// Checks one value and stores it. 'key' is the row's path with indexes.
void schema_value(struct schema_file *file, const struct schema_row *row,
	const config_setting_t *setting, const char *key, void *base);

// Adds "name:line: key: ...". 'setting' NULL: the line is not known.
void schema_problem(struct schema_file *file, const config_setting_t *setting, const char *key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
// The same for a key by its path, which need not be in the file.
void schema_problem_key(struct schema_file *file, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void problem_add(struct config_problems *problems, const char *name, unsigned line,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void problem_add_key(struct config_problems *problems, bool is_warning, const char *name,
	unsigned line, const char *key, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
// The line of the file 'path' where 'key' stands; 0: nowhere, or the file does not tell.
unsigned config_line_of(const char *path, const char *key);
// The same in a text that config_scan() made.
unsigned schema_line_of(const char *scanned, const char *key);

// Copies 'text' for libconfig with what it would hide made visible: a number beyond 32 bits becomes
// a string of SCAN_NUMBER_MARK and the digits; what it would open, misread or leak is a problem.
// Returns 0, -EINVAL, -ENOMEM; free() '*out'.
#define SCAN_NUMBER_MARK '\x01'
int config_scan(const char *name, const char *text, size_t text_size, char **out,
	struct config_problems *problems) __attribute__((warn_unused_result));
