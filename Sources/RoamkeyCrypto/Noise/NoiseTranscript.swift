import RoamkeySodium

/// What a Noise handshake may show: the hash, the peer's keys, whose turn it is.
///
/// A plain value, so that the state before a message can be kept and put back.
struct NoiseTranscript: Sendable {
  /// The message that comes next.
  enum Turn: Sendable {
    case first, second, third, complete
  }

  /// `h` of Noise §5.2.
  private(set) var hash: Digest
  var turn = Turn.first
  var remoteEphemeral: Digest?
  var remoteStatic: Digest?
  /// The next nonce of the cipher state; nil until the first `MixKey`.
  private(set) var counter: UInt64?

  /// Begins with the protocol's name, which has exactly the 32 bytes that go in unhashed (Noise §5.2).
  init(prologue: [UInt8]) {
    hash = NoiseTranscript.protocolName
    mix(prologue.span.bytes)
  }

  static let protocolName = Digest(Array("Noise_XX_25519_ChaChaPoly_SHA256".utf8))

  /// `MixHash` of Noise §5.2.
  mutating func mix(_ bytes: RawSpan) {
    var state = crypto_hash_sha256_state()
    crypto_hash_sha256_init(&state)
    hash.withUnsafeBytes { hash in
      _ = crypto_hash_sha256_update(&state, hash.baseAddress!.assumingMemoryBound(to: UInt8.self), 32)
    }
    bytes.withUnsafeBytes { bytes in
      guard let address = bytes.baseAddress else { return }
      crypto_hash_sha256_update(&state, address.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
    hash.withUnsafeMutableBytes { hash in
      _ = crypto_hash_sha256_final(&state, hash.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
  }

  mutating func mix(_ digest: Digest) { mix(digest.bytes.span.bytes) }

  /// A new cipher key begins at nonce zero.
  mutating func resetCounter() { counter = 0 }

  mutating func advanceCounter() { counter = counter.map { $0 + 1 } }
}
