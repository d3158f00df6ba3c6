// libsodium as one module. Only RoamkeyCrypto imports it.
#include <sodium.h>
