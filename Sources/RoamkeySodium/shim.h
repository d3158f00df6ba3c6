// libsodium as one module. Only RoamkeyCrypto imports it.
#include <stddef.h>
#include <sodium.h>

// Asks the processor for memory that is needed soon. The language has no word for it.
static inline void roamkey_prefetch(const void *start, size_t size) {
  for (size_t offset = 0; offset < size; offset += 64) {
    __builtin_prefetch((const char *)start + offset, 1, 3);
  }
}
