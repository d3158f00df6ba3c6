import RoamkeySodium

/// ChaCha20-Poly1305 (RFC 8439) in place, and the ChaCha20 mask that hides packet numbers.
package enum ChaChaPoly {
  package static let keySize = 32
  package static let tagSize = 16

  /// The 12 bytes of nonce, from four bytes and eight.
  ///
  /// Packets: zeros, then the packet number in network order. Noise: zeros, then the counter in little-endian order.
  package struct Nonce {
    var bytes: (UInt32, UInt32, UInt32)

    /// For packet `number` of a session (PROTOCOL §3).
    package init(packetNumber number: UInt64) {
      bytes = (0, UInt32(truncatingIfNeeded: number >> 32).bigEndian, UInt32(truncatingIfNeeded: number).bigEndian)
    }

    /// For message `counter` of a Noise cipher state (Noise §12.3).
    package init(noiseCounter counter: UInt64) {
      bytes = (
        0, UInt32(truncatingIfNeeded: counter).littleEndian, UInt32(truncatingIfNeeded: counter >> 32).littleEndian
      )
    }
  }

  /// Seals `plaintextCount` bytes that stand behind `headerCount` bytes of associated data; the tag follows them.
  /// - Precondition: `buffer` has room for the 16 bytes of tag.
  package static func seal(
    _ buffer: inout MutableRawSpan, headerCount: Int, plaintextCount: Int, nonce: Nonce,
    key: borrowing SecretBytes, at offset: Int = 0
  ) {
    precondition(
      headerCount >= 0 && plaintextCount >= 0 && buffer.byteCount - headerCount - plaintextCount >= tagSize,
      "no room for the tag")
    let key = key.pointer(at: offset, size: keySize)
    buffer.withUnsafeMutableBytes { bytes in
      let header = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      let body = header + headerCount
      withUnsafeBytes(of: nonce.bytes) { nonce in
        _ = crypto_aead_chacha20poly1305_ietf_encrypt(
          body, nil, body, UInt64(plaintextCount), header, UInt64(headerCount), nil,
          nonce.baseAddress!.assumingMemoryBound(to: UInt8.self), key)
      }
    }
  }

  /// Opens `sealedCount` bytes (tag included) behind `headerCount` bytes of associated data.
  /// - Returns: whether the tag was right; if not, the buffer's contents are of no use.
  package static func open(
    _ buffer: inout MutableRawSpan, headerCount: Int, sealedCount: Int, nonce: Nonce,
    key: borrowing SecretBytes, at offset: Int = 0
  ) -> Bool {
    guard sealedCount >= tagSize, headerCount >= 0, buffer.byteCount - headerCount >= sealedCount else { return false }
    let key = key.pointer(at: offset, size: keySize)
    return buffer.withUnsafeMutableBytes { bytes in
      let header = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      let body = header + headerCount
      return withUnsafeBytes(of: nonce.bytes) { nonce in
        crypto_aead_chacha20poly1305_ietf_decrypt(
          body, nil, nil, body, UInt64(sealedCount), header, UInt64(headerCount),
          nonce.baseAddress!.assumingMemoryBound(to: UInt8.self), key) == 0
      }
    }
  }

  /// Five bytes of ChaCha20 key stream for the 16 bytes of ciphertext at `offset` (PROTOCOL §3), first byte lowest.
  package static func headerMask(
    _ datagram: RawSpan, sampleAt sample: Int, key: borrowing SecretBytes, at offset: Int
  ) -> UInt64 {
    precondition(sample >= 0 && datagram.byteCount - sample >= 16, "the sample lies outside of the packet")
    let key = key.pointer(at: offset, size: keySize)
    let counter = UInt32(littleEndian: datagram.unsafeLoadUnaligned(fromByteOffset: sample, as: UInt32.self))
    var mask = UInt64(0)
    withUnsafeMutableBytes(of: &mask) { output in
      datagram.withUnsafeBytes { bytes in
        let target = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
        _ = crypto_stream_chacha20_ietf_xor_ic(
          target, target, 5, (bytes.baseAddress! + sample + 4).assumingMemoryBound(to: UInt8.self), counter, key)
      }
    }
    return UInt64(littleEndian: mask)
  }
}
