// SPDX-License-Identifier: BSD-3-Clause
//
// See forbid.h. Functions of the same names as the libraries' take their place, because the program
// comes first when symbols are looked up; the sanitizers have malloc for themselves, and hooks.

#include "support/forbid.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <rte_malloc.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif
#define DISPATCH_ALLOW 0
#define DISPATCH_BLOCK 1
#define SYSCALL_SIZE 2 // bytes of the instruction

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

static _Thread_local bool armed;
static struct forbid_count now; // of the armed thread
static volatile char dispatch = DISPATCH_ALLOW;
static bool catches;
static struct sigaction others_action;

static void note(unsigned *counter, const char *name)
{
	if (!armed)
		return;
	++*counter;
	if (now.first == NULL)
		now.first = name;
}

#ifdef HAS_ASAN
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
	void (*free_hook)(const volatile void *));

static void on_malloc(const volatile void *at, size_t size)
{
	(void)at, (void)size;
	note(&now.allocations, "malloc");
}

static void on_free(const volatile void *at)
{
	(void)at;
	note(&now.allocations, "free");
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *at);

void *malloc(size_t size)
{
	note(&now.allocations, "malloc");
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	note(&now.allocations, "calloc");
	return __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
	note(&now.allocations, "realloc");
	return __libc_realloc(at, size);
}

void free(void *at)
{
	note(&now.allocations, "free");
	__libc_free(at);
}

void *memalign(size_t alignment, size_t size)
{
	note(&now.allocations, "memalign");
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	note(&now.allocations, "aligned_alloc");
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *at;

	note(&now.allocations, "posix_memalign");
	at = __libc_memalign(alignment, size);
	if (at == NULL)
		return ENOMEM;
	*out = at;
	return 0;
}
#endif

// The next one of that name behind ours. Through memory: a pointer to void is none to a function.
static void find(void *function, const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	if (next == NULL)
		abort();
	memcpy(function, &next, sizeof(next));
}

// NAME(params) as the library's, noted.
#define INTERPOSE(counter, type, name, params, arguments) \
	type name params                                  \
	{                                                 \
		static type(*next) params;                \
                                                          \
		if (next == NULL)                         \
			find(&next, #name);               \
		note(&now.counter, #name);                \
		return next arguments;                    \
	}

INTERPOSE(locks, int, pthread_mutex_lock, (pthread_mutex_t * m), (m))
INTERPOSE(locks, int, pthread_mutex_trylock, (pthread_mutex_t * m), (m))
INTERPOSE(locks, int, pthread_mutex_unlock, (pthread_mutex_t * m), (m))
INTERPOSE(locks, int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
INTERPOSE(locks, int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
INTERPOSE(locks, int, pthread_rwlock_unlock, (pthread_rwlock_t * l), (l))
INTERPOSE(locks, int, pthread_spin_lock, (pthread_spinlock_t * l), (l))
INTERPOSE(locks, int, pthread_cond_signal, (pthread_cond_t * c), (c))
INTERPOSE(locks, int, pthread_cond_broadcast, (pthread_cond_t * c), (c))
INTERPOSE(locks, int, sem_wait, (sem_t * s), (s))
INTERPOSE(locks, int, sem_post, (sem_t * s), (s))

INTERPOSE(allocations, void *, rte_malloc, (const char *type, size_t size, unsigned align),
	(type, size, align))
INTERPOSE(allocations, void *, rte_zmalloc, (const char *type, size_t size, unsigned align),
	(type, size, align))
INTERPOSE(allocations, void *, rte_malloc_socket,
	(const char *type, size_t size, unsigned align, int socket), (type, size, align, socket))
INTERPOSE(allocations, void *, rte_zmalloc_socket,
	(const char *type, size_t size, unsigned align, int socket), (type, size, align, socket))

void rte_free(void *at)
{
	static void (*next)(void *);

	if (next == NULL)
		find(&next, "rte_free");
	note(&now.allocations, "rte_free");
	next(at);
}

// A caught system call is made all the same, and nothing is caught behind it.
static void on_system_call(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)signal;
	dispatch = DISPATCH_ALLOW;
	now.system_calls++;
	now.first_system_call = info->si_syscall;
	c->uc_mcontext.gregs[REG_RIP] -= SYSCALL_SIZE;
}

bool forbid_init(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	// What is looked up once is looked up now.
	(void)pthread_mutex_lock(&mutex);
	(void)pthread_mutex_unlock(&mutex);
	rte_free(rte_malloc(NULL, 64, 0));
#ifdef HAS_ASAN
	if (__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) == 0)
		abort();
#endif
	catches = prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &dispatch) == 0;
	return catches;
}

void forbid_begin(void)
{
	struct sigaction action = {.sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO};

	// Each time: cmocka has a handler of its own, which it sets for every test.
	if (sigaction(SIGSYS, &action, &others_action) != 0)
		abort();
	now = (struct forbid_count){0};
	armed = true;
	dispatch = catches ? DISPATCH_BLOCK : DISPATCH_ALLOW;
}

void forbid_end(struct forbid_count *count)
{
	dispatch = DISPATCH_ALLOW;
	armed = false;
	(void)sigaction(SIGSYS, &others_action, NULL);
	count->allocations += now.allocations;
	count->locks += now.locks;
	if (count->first == NULL)
		count->first = now.first;
	if (count->system_calls == 0)
		count->first_system_call = now.first_system_call;
	count->system_calls += now.system_calls;
}
