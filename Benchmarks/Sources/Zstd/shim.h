// Zstandard (https://facebook.github.io/zstd) as one module. Only ZstdCodec.swift imports it.
// Frames without their magic number are an experimental parameter.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

static inline size_t zstd_write_no_magic(ZSTD_CCtx *context) {
  return ZSTD_CCtx_setParameter(context, ZSTD_c_format, ZSTD_f_zstd1_magicless);
}

static inline size_t zstd_expect_no_magic(ZSTD_DCtx *context) {
  return ZSTD_DCtx_setParameter(context, ZSTD_d_format, ZSTD_f_zstd1_magicless);
}
