import RoamkeyWire

/// One of the cookies that came, beyond those that were used at once, since a Hello was sent (PROTOCOL §1.7).
///
/// Somebody who sees a Hello can answer it with Retries before the server does. Nothing tells these from the server's,
/// and whichever were chosen by their order, the first or the last, could be the forger's choice. So each is as likely:
/// who wants to keep a client out has to outnumber the server's, again for each Hello.
struct SpareCookie {
  private var chosen: (cookie: [UInt8], source: NetworkAddress)?
  private var seen: UInt64 = 0

  mutating func add(_ cookie: [UInt8], from source: NetworkAddress, draw: () -> UInt64) {
    seen += 1
    if draw() % seen == 0 { chosen = (cookie, source) }
  }

  /// The one for the Hello that is sent now. A cookie goes nowhere but to where it came from.
  mutating func take(for remote: NetworkAddress) -> [UInt8]? {
    guard let (cookie, source) = chosen, source == remote else { return nil }
    self = SpareCookie()
    return cookie
  }
}
