internal import Zstd

/// Zstandard with an earlier state as its prefix: what a game would do that has no engine of differences.
final class ZstdCodec {
  private let compressor: OpaquePointer
  private let decompressor: OpaquePointer

  init?(level: Int) {
    guard let compressor = ZSTD_createCCtx(), let decompressor = ZSTD_createDCtx() else { return nil }
    self.compressor = compressor
    self.decompressor = decompressor
    // Nothing that a game could leave out: no magic number, no length, no checksum (which it has not by itself).
    let results = [
      ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, CInt(level)),
      ZSTD_CCtx_setParameter(compressor, ZSTD_c_contentSizeFlag, 0),
      zstd_write_no_magic(compressor), zstd_expect_no_magic(decompressor),
    ]
    guard results.allSatisfy({ ZSTD_isError($0) == 0 }) else { return nil }
  }

  deinit {
    _ = ZSTD_freeCCtx(compressor)
    _ = ZSTD_freeDCtx(decompressor)
  }

  func compress(_ bytes: [UInt8], prefix: [UInt8]?) -> [UInt8]? {
    var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let capacity = out.count
    // The prefix has to stay where it is until the end of the call.
    let size = (prefix ?? []).withUnsafeBytes { prefix in
      if !prefix.isEmpty { _ = ZSTD_CCtx_refPrefix(compressor, prefix.baseAddress, prefix.count) }
      return out.withUnsafeMutableBytes { out in
        bytes.withUnsafeBytes { ZSTD_compress2(compressor, out.baseAddress, capacity, $0.baseAddress, $0.count) }
      }
    }
    guard ZSTD_isError(size) == 0 else { return nil }
    return Array(out.prefix(size))
  }

  func decompress(_ bytes: [UInt8], prefix: [UInt8]?, limit: Int) -> [UInt8]? {
    var out = [UInt8](repeating: 0, count: limit)
    let size = (prefix ?? []).withUnsafeBytes { prefix in
      if !prefix.isEmpty { _ = ZSTD_DCtx_refPrefix(decompressor, prefix.baseAddress, prefix.count) }
      return out.withUnsafeMutableBytes { out in
        bytes.withUnsafeBytes { ZSTD_decompressDCtx(decompressor, out.baseAddress, limit, $0.baseAddress, $0.count) }
      }
    }
    guard ZSTD_isError(size) == 0 else { return nil }
    return Array(out.prefix(size))
  }
}
