import RoamkeySodium

/// Random numbers from libsodium, which takes them from the operating system.
package enum SystemRandom {
  /// 64 random bits.
  package static func number() -> UInt64 {
    _ = Sodium.ready
    var value = UInt64(0)
    randombytes_buf(&value, 8)
    return value
  }
}
