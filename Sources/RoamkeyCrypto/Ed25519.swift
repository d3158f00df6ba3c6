import RoamkeySodium

/// A detached Ed25519 signature (RFC 8032), 64 bytes.
package struct Signature: Equatable, Sendable {
  package static let size = 64
  private struct Halves: Equatable, Sendable { var first = Digest(), second = Digest() }
  private var halves = Halves()

  init() {}

  /// The 64 bytes at `offset`, which must be there.
  package init(_ bytes: RawSpan, at offset: Int = 0) {
    halves = Halves(first: Digest(bytes, at: offset), second: Digest(bytes, at: offset + 32))
  }

  package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    var copy = halves
    return try Swift.withUnsafeBytes(of: &copy, body)
  }

  fileprivate mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) -> R) -> R {
    Swift.withUnsafeMutableBytes(of: &halves, body)
  }

  package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension PlayerKey {
  /// Signs `message` (17 to 20 us).
  package borrowing func sign(_ message: RawSpan) -> Signature {
    var signature = Signature()
    message.withUnsafeBytes { message in
      signature.withUnsafeMutableBytes { target in
        _ = crypto_sign_detached(
          target.baseAddress!.assumingMemoryBound(to: UInt8.self), nil,
          message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count),
          secret.pointer(at: 0, size: 64))
      }
    }
    return signature
  }
}

extension PlayerID {
  /// Whether `signature` is this player's for `message` (48 to 52 us).
  ///
  /// libsodium refuses non-canonical signatures and public keys of small order.
  package func verify(_ signature: Signature, of message: RawSpan) -> Bool {
    _ = Sodium.ready
    return message.withUnsafeBytes { message in
      signature.withUnsafeBytes { signature in
        publicKey.withUnsafeBytes { key in
          crypto_sign_verify_detached(
            signature.baseAddress!.assumingMemoryBound(to: UInt8.self),
            message.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(message.count),
            key.baseAddress!.assumingMemoryBound(to: UInt8.self)) == 0
        }
      }
    }
  }
}
