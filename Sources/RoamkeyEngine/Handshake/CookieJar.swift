import RoamkeyCrypto
import RoamkeyWire

/// Stateless proof that a newcomer receives at the address it claims (PROTOCOL §1):
/// `time4 ‖ H("rk1 cookie", time4 ‖ ip16 ‖ port2 ‖ dcid8 ‖ s1 ‖ scid ‖ H("rk1 hello", noise1), ck, 16)`.
struct CookieJar: ~Copyable {
  private var key: SecretBytes
  private var previous: SecretBytes?
  private var renewAt: Instant
  private let lifetime: Duration
  private let keyLifetime: Duration

  init(key: consuming SecretBytes, lifetime: Duration, keyLifetime: Duration, now: Instant) {
    self.key = key
    self.lifetime = lifetime
    self.keyLifetime = keyLifetime
    renewAt = now + keyLifetime
  }

  /// A cookie for a Hello from `address`.
  mutating func bake(
    _ hello: HelloDatagram, _ datagram: RawSpan, from address: NetworkAddress, now: Instant, entropy: inout Entropy
  ) -> [UInt8] {
    if now >= renewAt {
      var fresh = entropy.secret()
      swap(&fresh, &key)
      previous = consume fresh
      renewAt = now + keyLifetime
    }
    return Self.cookie(time: Self.seconds(now), hello, datagram, from: address, key: key)
  }

  /// Whether the cookie in a Hello is one of ours, for this address, and not too old.
  func accepts(_ hello: HelloDatagram, _ datagram: RawSpan, from address: NetworkAddress, now: Instant) -> Bool {
    let cookie = datagram.extracting(hello.cookie)
    var position = 0
    guard let time: UInt32 = try? cookie.readInteger(at: &position) else { return false }
    let age = Self.seconds(now) &- time
    guard age <= UInt32(lifetime.components.seconds) else { return false }
    let expected = Self.cookie(time: time, hello, datagram, from: address, key: key)
    if constantTimeEqual(cookie, expected.span.bytes) { return true }
    switch previous {
    case .none: return false
    case .some(let old):
      return constantTimeEqual(cookie, Self.cookie(time: time, hello, datagram, from: address, key: old).span.bytes)
    }
  }

  /// The endpoint's clock in seconds; it wraps after 136 years.
  private static func seconds(_ now: Instant) -> UInt32 {
    UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
  }

  static func cookie(
    time: UInt32, _ hello: HelloDatagram, _ datagram: RawSpan, from address: NetworkAddress,
    key: borrowing SecretBytes
  ) -> [UInt8] {
    let noise = BLAKE2b.hash("rk1 hello") { $0.update(datagram.extracting(hello.noise)) }
    let digest = BLAKE2b.hash("rk1 cookie", key: key, count: 16) { hash in
      hash.update(bigEndian: time)
      hash.update(bigEndian: address.ip)
      hash.update(bigEndian: address.port)
      hello.destination.withUnsafeBytes { hash.update(buffer: $0) }
      hash.update(UInt8(hello.source.count))
      hello.source.withUnsafeBytes { hash.update(buffer: $0) }
      hash.update(noise)
    }
    var cookie: [UInt8] = []
    cookie.append(bigEndian: time)
    return cookie + digest.bytes.prefix(16)
  }
}
