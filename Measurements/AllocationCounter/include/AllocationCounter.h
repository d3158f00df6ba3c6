// What a phase of a measurement takes from the heap, and where its instructions begin and end.
#ifndef ROAMKEY_ALLOCATION_COUNTER_H
#define ROAMKEY_ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/// Allocations of a phase.
struct roamkey_allocations {
  /// Calls of malloc, calloc, realloc and the aligned ones.
  uint64_t count;
  /// What they asked for.
  uint64_t bytes;
};

/// Whether this build counts: not under a sanitizer, which has an allocator of its own, and only with glibc.
bool roamkey_counts_allocations(void);

// Each runs `body` and tells what it took. They are functions of their own so that callgrind can be told to collect
// between entering and leaving them, and to write down what it has after each (Valgrind.swift).
typedef void (*roamkey_body)(void *context);
struct roamkey_allocations roamkey_phase_send(roamkey_body body, void *context);
struct roamkey_allocations roamkey_phase_receive(roamkey_body body, void *context);
struct roamkey_allocations roamkey_phase_acknowledge(roamkey_body body, void *context);
struct roamkey_allocations roamkey_phase_idle(roamkey_body body, void *context);

#endif
