// SPDX-License-Identifier: BSD-3-Clause
//
// Big-endian words at any alignment: how every protocol here writes its numbers. Pure, any thread.
#pragma once

#include <stdint.h>

static inline uint16_t be16_read(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t be32_read(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t be64_read(const uint8_t *at)
{
	return (uint64_t)be32_read(at) << 32 | be32_read(at + 4);
}

static inline void be16_write(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void be32_write(uint8_t *at, uint32_t value)
{
	be16_write(at, (uint16_t)(value >> 16));
	be16_write(at + 2, (uint16_t)value);
}

static inline void be64_write(uint8_t *at, uint64_t value)
{
	be32_write(at, (uint32_t)(value >> 32));
	be32_write(at + 4, (uint32_t)value);
}
