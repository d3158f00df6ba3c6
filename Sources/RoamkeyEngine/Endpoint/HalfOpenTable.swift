import DequeModule
import RoamkeyCrypto
import RoamkeyWire

/// A handshake under way at a server.
final class HalfOpen {
  let handshake: ServerHandshake
  let connectionID: UInt64
  /// The Hello it answers, together with the address: the same bytes from there get the same Welcome.
  let hello: UInt128
  let path: NetworkPath
  /// Packets that came before the Finish that explains them, and how they came.
  var held: [(bytes: [UInt8], path: NetworkPath)] = []
  /// Its Hello came again: the client is still there, and has not seen the Welcome.
  var wasAskedAgain = false
  /// When the Welcome was sent; nil when it was sent more than once, so that nothing can be learnt from the answer.
  var lonelyWelcomeAt: Instant?

  init(handshake: ServerHandshake, connectionID: UInt64, hello: UInt128, path: NetworkPath, now: Instant) {
    lonelyWelcomeAt = now
    self.handshake = handshake
    self.connectionID = connectionID
    self.hello = hello
    self.path = path
  }
}

/// All handshakes under way, bounded in number and time (PROTOCOL §7).
struct HalfOpenTable {
  private var byConnectionID: [UInt64: HalfOpen] = [:]
  private var byHello: [UInt128: HalfOpen] = [:]
  private var perPrefix: [UInt128: Int] = [:]
  /// In the order of their end, since all live equally long, and once more as long where the client asked again.
  private var expiries = Deque<(deadline: Instant, connectionID: UInt64)>()
  private let lifetime: Duration

  init(lifetime: Duration) { self.lifetime = lifetime }

  var count: Int { byConnectionID.count }
  var nextTimeout: Instant? { expiries.first?.deadline }

  func count(prefix: UInt128) -> Int { perPrefix[prefix] ?? 0 }

  func find(connectionID: UInt64) -> HalfOpen? { byConnectionID[connectionID] }

  func find(hello: UInt128) -> HalfOpen? { byHello[hello] }

  mutating func insert(_ entry: HalfOpen, now: Instant) {
    byConnectionID[entry.connectionID] = entry
    byHello[entry.hello] = entry
    perPrefix[entry.path.remote.prefixKey, default: 0] += 1
    expiries.append((now + lifetime, entry.connectionID))
  }

  /// Takes an entry out: its Finish has come.
  mutating func remove(_ entry: HalfOpen) {
    guard byConnectionID.removeValue(forKey: entry.connectionID) != nil else { return }
    byHello[entry.hello] = nil
    let prefix = entry.path.remote.prefixKey
    let left = count(prefix: prefix) - 1
    perPrefix[prefix] = left > 0 ? left : nil
  }

  mutating func removeExpired(now: Instant) {
    while let first = expiries.first, first.deadline <= now {
      expiries.removeFirst()
      guard let entry = byConnectionID[first.connectionID] else { continue }
      if entry.wasAskedAgain {
        entry.wasAskedAgain = false
        expiries.append((now + lifetime, first.connectionID))
      } else {
        remove(entry)
      }
    }
  }

  /// Names a Hello and where it came from.
  static func key(_ datagram: RawSpan, from address: NetworkAddress) -> UInt128 {
    BLAKE2b.hash("rk1 hello cache", count: 16) { hash in
      hash.update(bigEndian: address.ip)
      hash.update(bigEndian: address.port)
      hash.update(datagram)
    }.prefix128
  }
}
