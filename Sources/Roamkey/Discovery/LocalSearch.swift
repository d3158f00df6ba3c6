internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

/// Asks the local network for a server that has fallen silent: it may have a new address there, and no name that tells.
///
/// Only beacons of its own key count, so each address found is one from which the server itself has answered.
final class LocalSearch: Sendable {
  /// At 0, 100 and 300 ms; then a second for the last answers.
  private static let questions: UInt64 = 3
  /// Of all clients of this process: a thousand that lose their server at once must not flood the network, nor the
  /// machine with threads.
  private static let most = 8
  private static let underWay = Locked(0)

  private let search = Locked<ServerSearch?>(nil)
  private let isUnderWay = Locked(false)

  /// Asks, and hands over what is found. Nothing happens while a search is under way; one that cannot begin is not told
  /// of, since the server is looked for elsewhere anyway.
  func again(for server: PlayerID, _ found: @escaping @Sendable ([NetworkAddress]) -> Void) {
    guard begin() else { return }
    let isUnderWay = isUnderWay
    let seeker = ServerSeeker(
      application: nil, only: server, questions: Self.questions, entropy: .system, now: .current)
    let search = try? ServerSearch(
      seeker, onChange: { servers in found(servers.map(\.address)) }, onEnd: { Self.end(isUnderWay) })
    if search == nil { Self.end(isUnderWay) }
    // The last one has ended, and is let go outside of the lock.
    var last = search
    self.search.withLock { swap(&$0, &last) }
  }

  private func begin() -> Bool {
    let isFirst = isUnderWay.withLock { isUnderWay in
      defer { isUnderWay = true }
      return !isUnderWay
    }
    guard isFirst else { return false }
    let hasRoom = Self.underWay.withLock { count in
      guard count < Self.most else { return false }
      count += 1
      return true
    }
    if !hasRoom { isUnderWay.withLock { $0 = false } }
    return hasRoom
  }

  private static func end(_ isUnderWay: Locked<Bool>) {
    underWay.withLock { $0 -= 1 }
    isUnderWay.withLock { $0 = false }
  }
}
