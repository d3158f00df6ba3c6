import RoamkeySodium

/// What a Noise handshake keeps secret: chaining key, cipher key and both private keys.
///
/// One region with named slots rather than one for each key, since a region costs 25 us and pages of its own.
struct NoiseSecrets: ~Copyable, Sendable {
  /// Offsets of 32 bytes each.
  enum Slot {
    static let chainingKey = 0, cipherKey = 32, staticKey = 64, ephemeralKey = 96
    /// The chaining and the cipher key as they were before the message in progress.
    fileprivate static let saved = 128
    fileprivate static let shared = 192, temporary = 224
    /// libsodium's HMAC state holds key material, so it lives here as well: 208 bytes.
    fileprivate static let hmac = 256
    // A multiple of 64: sodium_malloc aligns the end of a region, so this aligns its beginning.
    fileprivate static let end = 512
  }

  private var memory: SecretBytes

  /// `ck` as Noise §5.2 initialises it, and copies of the two private keys.
  init(chainingKey: Digest, staticKey: borrowing SecretBytes, ephemeralKey: borrowing SecretBytes) {
    precondition(staticKey.count == X25519.keySize && ephemeralKey.count == X25519.keySize, "X25519 keys have 32 bytes")
    precondition(MemoryLayout<crypto_auth_hmacsha256_state>.size <= Slot.end - Slot.hmac, "no room for the HMAC state")
    memory = SecretBytes(zeros: Slot.end)
    let memory = memory.mutablePointer(at: 0, size: Slot.end)
    chainingKey.withUnsafeBytes { UnsafeMutableRawPointer(memory).copyMemory(from: $0.baseAddress!, byteCount: 32) }
    (memory + Slot.staticKey).update(from: staticKey.pointer(at: 0, size: 32), count: 32)
    (memory + Slot.ephemeralKey).update(from: ephemeralKey.pointer(at: 0, size: 32), count: 32)
  }

  private init(memory: consuming SecretBytes) { self.memory = memory }

  borrowing func clone() -> NoiseSecrets {
    NoiseSecrets(memory: memory.withUnsafeBytes { SecretBytes(copying: $0) })
  }

  borrowing func publicKey(of slot: Int) -> Digest { X25519.publicKey(of: memory, at: slot) }

  // MARK: A message is taken as a whole or not at all

  mutating func save() { memory.copy(from: Slot.chainingKey, to: Slot.saved, size: 64) }
  mutating func restore() { memory.copy(from: Slot.saved, to: Slot.chainingKey, size: 64) }

  // MARK: Keys

  /// `MixKey(DH(own key in slot, public key))` of Noise §5.2.
  /// - Returns: false for a public key of small order; the keys are then unchanged.
  mutating func mixKey(_ slot: Int, with publicKey: Digest) -> Bool {
    let shared = memory.mutablePointer(at: Slot.shared, size: 32)
    defer { sodium_memzero(shared, 32) }
    let agreed = publicKey.withUnsafeBytes { point in
      crypto_scalarmult(
        shared, memory.pointer(at: slot, size: 32), point.baseAddress!.assumingMemoryBound(to: UInt8.self)) == 0
    }
    guard agreed else { return false }
    hkdf(
      input: shared, inputCount: 32, first: memory.mutablePointer(at: Slot.chainingKey, size: 32),
      second: memory.mutablePointer(at: Slot.cipherKey, size: 32))
    return true
  }

  /// `Split` of Noise §5.2: both transport keys, in one region.
  mutating func split() -> SecretBytes {
    let keys = SecretBytes(zeros: 64)
    hkdf(
      input: nil, inputCount: 0, first: keys.mutablePointer(at: 0, size: 32),
      second: keys.mutablePointer(at: 32, size: 32))
    return keys
  }

  /// `HKDF(ck, input, 2)` of Noise §4.3. `first` may be the chaining key itself: that is read only at the beginning.
  private mutating func hkdf(
    input: UnsafePointer<UInt8>?, inputCount: Int, first: UnsafeMutablePointer<UInt8>,
    second: UnsafeMutablePointer<UInt8>
  ) {
    let temporary = memory.mutablePointer(at: Slot.temporary, size: 32)
    hmac(key: memory.pointer(at: Slot.chainingKey, size: 32), input, inputCount, suffix: nil, to: temporary)
    hmac(key: temporary, nil, 0, suffix: 1, to: first)
    hmac(key: temporary, first, 32, suffix: 2, to: second)
    sodium_memzero(temporary, 32)
  }

  private mutating func hmac(
    key: UnsafePointer<UInt8>, _ input: UnsafePointer<UInt8>?, _ count: Int, suffix: UInt8?,
    to output: UnsafeMutablePointer<UInt8>
  ) {
    let size = MemoryLayout<crypto_auth_hmacsha256_state>.size
    let room = UnsafeMutableRawPointer(memory.mutablePointer(at: Slot.hmac, size: size))
    let state = room.bindMemory(to: crypto_auth_hmacsha256_state.self, capacity: 1)
    crypto_auth_hmacsha256_init(state, key, 32)
    if count > 0 { crypto_auth_hmacsha256_update(state, input, UInt64(count)) }
    if var suffix { crypto_auth_hmacsha256_update(state, &suffix, 1) }
    crypto_auth_hmacsha256_final(state, output)
    sodium_memzero(room, size)
  }

  // MARK: Cipher

  /// Appends what `ENCRYPT(k, counter, transcript, plaintext)` of Noise §5.1 gives.
  borrowing func encrypt(
    _ plaintext: RawSpan, counter: UInt64, transcript: Digest, appendingTo output: inout [UInt8]
  ) {
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: plaintext.byteCount + ChaChaPoly.tagSize))
    output.withUnsafeMutableBufferPointer { output in
      plaintext.withUnsafeBytes { plaintext in
        withNonce(counter, transcript) { nonce, transcript in
          _ = crypto_aead_chacha20poly1305_ietf_encrypt(
            output.baseAddress! + start, nil, plaintext.baseAddress?.assumingMemoryBound(to: UInt8.self),
            UInt64(plaintext.count), transcript, 32, nil, nonce, memory.pointer(at: Slot.cipherKey, size: 32))
        }
      }
    }
  }

  /// The plaintext of `DECRYPT(k, counter, transcript, sealed)`; nil where the tag is wrong.
  borrowing func decrypt(_ sealed: RawSpan, counter: UInt64, transcript: Digest) -> [UInt8]? {
    let count = sealed.byteCount - ChaChaPoly.tagSize
    guard count >= 0 else { return nil }
    var opened = false
    // One byte at least, so that there is an address to give.
    var plaintext = [UInt8](repeating: 0, count: max(count, 1))
    plaintext.withUnsafeMutableBufferPointer { plaintext in
      sealed.withUnsafeBytes { sealed in
        withNonce(counter, transcript) { nonce, transcript in
          opened =
            crypto_aead_chacha20poly1305_ietf_decrypt(
              plaintext.baseAddress!, nil, nil, sealed.baseAddress!.assumingMemoryBound(to: UInt8.self),
              UInt64(sealed.count), transcript, 32, nonce, memory.pointer(at: Slot.cipherKey, size: 32)) == 0
        }
      }
    }
    guard opened else { return nil }
    if count == 0 { plaintext.removeAll() }
    return plaintext
  }

  private borrowing func withNonce(
    _ counter: UInt64, _ transcript: Digest, _ body: (UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
  ) {
    withUnsafeBytes(of: ChaChaPoly.Nonce(noiseCounter: counter).bytes) { nonce in
      transcript.withUnsafeBytes { transcript in
        body(
          nonce.baseAddress!.assumingMemoryBound(to: UInt8.self),
          transcript.baseAddress!.assumingMemoryBound(to: UInt8.self))
      }
    }
  }
}
