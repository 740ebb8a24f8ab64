// SPDX-License-Identifier: BSD-3-Clause
//
// The published number: what a packet costs on its whole route, against what its cipher alone
// costs. README.md "Benches" says how to read it.
#include <stdlib.h>

#include "engine_options.h"
#include "engine_report.h"
#include "engine_run.h"
#include "machine.h"

int main(int argc, char **argv)
{
	struct engine_options options;
	struct engine_result result;
	struct machine machine;

	if (!engine_options_parse(argc, argv, &options)) {
		return 2;
	}
	machine_read(&machine);
	if (engine_run(&options.run, &result) != 0) {
		return EXIT_FAILURE;
	}
	if (!options.json) {
		engine_report_table(&options, &result, &machine);
		return EXIT_SUCCESS;
	}
	return engine_report_json(&options, &result, &machine) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
