// Zstandard (https://facebook.github.io/zstd) as one module. Only ZstdCodec.swift imports it.
#include <zstd.h>
