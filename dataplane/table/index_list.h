// SPDX-License-Identifier: BSD-3-Clause
//
// Doubly linked lists of array elements by index: no pointers, so they also work in shared memory,
// and every element leaves in constant time. An element carries one struct index_link per list it
// is in.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX

struct index_link {
	uint32_t next, prev;
};

// 'links' is the link member of element 0, 'stride' the element's size.
static inline struct index_link *index_list_at(void *links, size_t stride, uint32_t index)
{
	return (struct index_link *)(void *)((uint8_t *)links + index * stride);
}

static inline void index_list_push(uint32_t *head, void *links, size_t stride, uint32_t index)
{
	struct index_link *link = index_list_at(links, stride, index);

	link->prev = INDEX_NONE;
	link->next = *head;
	if (*head != INDEX_NONE)
		index_list_at(links, stride, *head)->prev = index;
	*head = index;
}

static inline void index_list_remove(uint32_t *head, void *links, size_t stride, uint32_t index)
{
	struct index_link *link = index_list_at(links, stride, index);

	if (link->prev == INDEX_NONE)
		*head = link->next;
	else
		index_list_at(links, stride, link->prev)->next = link->next;
	if (link->next != INDEX_NONE)
		index_list_at(links, stride, link->next)->prev = link->prev;
	link->next = INDEX_NONE;
	link->prev = INDEX_NONE;
}
