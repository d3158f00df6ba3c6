/// When a packet number is left out, as a trap for a peer that acknowledges what it has not received (RFC 9000 §21.4,
/// PROTOCOL §3.2): it must name a number that was never sent, unless it guesses where that is.
///
/// What such a peer gains is bytes on the network beyond what the network takes, so a trap is laid after so many bytes,
/// not packets: who has little to say lays few, and who fills its window lays several in each. How many bytes is drawn
/// evenly from 1 to a limit, so that no stretch of numbers is known to be without a trap, not even the one right behind
/// another. The limit doubles from trap to trap: an honest peer pays for each with an acknowledgement at once.
///
/// The draw is a hash of session and trap under a key of the endpoint: nothing random is kept, drawn or allocated here.
struct NumberTraps: Sendable {
  /// Bytes to the first trap, at most: some 54 full packets, of which a slow start has sent most in three round trips.
  static let firstLimit = 64 << 10
  /// Bytes from one trap to the next, at most, however long the session lasts: a quarter of the largest window.
  static let lastLimit = 1 << 20

  // Small: each packet comes by.
  private var bytesLeft: Int32
  /// How many there were.
  private(set) var laid: UInt32 = 0

  /// - Parameters:
  ///   - session: which session of the endpoint it is.
  ///   - key: of the endpoint, random and known to nobody else.
  init(session: UInt64, key: SipHash.Key) {
    bytesLeft = Self.distance(behind: 0, session: session, key: key)
  }

  /// A packet that counts as in flight has left.
  mutating func onSent(bytes: Int) { bytesLeft = max(bytesLeft - Int32(clamping: bytes), 0) }

  /// Whether the next number is to be left out.
  @inline(__always)
  var isDue: Bool { bytesLeft == 0 }

  /// It was left out: from here on to the next one.
  mutating func onLaid(session: UInt64, key: SipHash.Key) {
    laid += 1
    bytesLeft = Self.distance(behind: laid, session: session, key: key)
  }

  private static func distance(behind laid: UInt32, session: UInt64, key: SipHash.Key) -> Int32 {
    let limit = laid < 16 ? min(firstLimit << Int(laid), lastLimit) : lastLimit
    // Limits are powers of two: each distance is as likely as any other.
    return Int32(SipHash.hash(session, UInt64(laid), key: key) % UInt64(limit)) + 1
  }
}
