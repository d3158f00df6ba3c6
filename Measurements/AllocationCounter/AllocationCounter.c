// Counts allocations by standing in front of glibc's: what an executable defines is what all its libraries call.
// docs/decisions/0022-counts.md says why this is in C, and why it is linked into nothing but the measuring tool.
#include "AllocationCounter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ROAMKEY_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(ROAMKEY_SANITIZED)

// By threads: what others do meanwhile is none of ours.
static __thread bool is_counting;
static __thread struct roamkey_allocations counted;

static inline void note(size_t size) {
  if (!is_counting) return;
  counted.count += 1;
  counted.bytes += size;
}

// glibc's own functions under their other names. `free` stays glibc's: the memory is its own.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  note(size);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  note(size);
  return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  note(size);
  void *result = __libc_memalign(alignment, size);
  if (result == NULL) return ENOMEM;
  *memory = result;
  return 0;
}

bool roamkey_counts_allocations(void) { return true; }

#else

static bool is_counting;
static struct roamkey_allocations counted;

bool roamkey_counts_allocations(void) { return false; }

#endif

// The empty assembly keeps the call from becoming a jump, with which the phase would end before its body begins.
#define PHASE(name) \
  __attribute__((noinline)) struct roamkey_allocations name(roamkey_body body, void *context) { \
    counted = (struct roamkey_allocations){0, 0}; \
    is_counting = true; \
    body(context); \
    __asm__ volatile("" ::: "memory"); \
    is_counting = false; \
    return counted; \
  }

PHASE(roamkey_phase_send)
PHASE(roamkey_phase_receive)
PHASE(roamkey_phase_acknowledge)
PHASE(roamkey_phase_idle)
