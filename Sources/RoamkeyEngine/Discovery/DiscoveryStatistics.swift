/// What a server has counted of questions, or a browser of answers.
public struct DiscoveryStatistics: Sendable, Hashable {
  /// Server: questions. Browser: beacons.
  public internal(set) var received: UInt64 = 0
  /// Server: beacons. Browser: questions; one is counted once, whatever links it went to.
  public internal(set) var sent: UInt64 = 0
  private var counts = [UInt64](repeating: 0, count: DiscoveryDrop.allCases.count)

  /// Nothing yet.
  public init() {}

  /// Datagrams that were dropped, by reason; reasons that did not occur are not listed.
  ///
  /// `malformed`: none of ours. `notLocal`: from beyond the link. `elsewhere`: not from the
  /// address that it was signed for. `otherApplication`. `otherServer`: not the one that is
  /// looked for. `otherAddress`: the server does not listen where it was asked. `repeated`: the same came before.
  /// `limited`: too many. `unasked`: it answers no question of the last seconds, a replayed one for instance. `stale`:
  /// an older word than the last. `forged`: not signed by the key it names.
  public var drops: [String: UInt64] {
    var drops: [String: UInt64] = [:]
    for (reason, count) in zip(DiscoveryDrop.allCases, counts) where count > 0 { drops["\(reason)"] = count }
    return drops
  }

  mutating func drop(_ reason: DiscoveryDrop) { counts[reason.rawValue] += 1 }
}

/// Why a datagram of discovery was dropped.
enum DiscoveryDrop: Int, CaseIterable, Error {
  case malformed, notLocal, elsewhere, otherApplication, otherServer, otherAddress, repeated, limited, unasked, stale
  case forged
}
