// SPDX-License-Identifier: BSD-3-Clause
//
// The crank: a worker's thread turns pipeline_turn() until it is told to stop, sleeps when nothing
// comes (idle = adaptive), and keeps the heartbeat that says that its packets move.
#pragma once

struct worker;

// Thread main of a worker, an lcore function: 'arg' is its struct worker. Returns 0 after
// params.stop.
int worker_loop(void *arg);
