internal import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

/// What a client's driver does at the end of a turn: tells the app, and does what follows from that.
final class ClientLoop: Sendable {
  /// Weak, since the driver holds the loop.
  private struct Driver: Sendable {
    weak var driver: UDPDriver<ClientEndpoint>?
  }

  private let link: ClientLink
  private let lookup: NameLookup
  /// Nil where the local network is not to be asked.
  private let neighbours: LocalSearch?
  private let driver = Locked(Driver())

  init(_ link: ClientLink, _ lookup: NameLookup, _ neighbours: LocalSearch?) {
    self.link = link
    self.lookup = lookup
    self.neighbours = neighbours
  }

  /// Tells whose loop it is. Nothing is wished for before the client connects.
  func attach(_ driver: UDPDriver<ClientEndpoint>) { self.driver.withLock { $0.driver = driver } }

  func turn(_ endpoint: ClientEndpoint, _ now: Instant) {
    let wishes = link.turn(endpoint, now)
    guard wishes != ClientLink.Wishes(), let driver = driver.withLock({ $0.driver }) else { return }
    if wishes.work { driver.perform { [link] endpoint, now in link.work(endpoint, now) } }
    if wishes.lookup {
      let learn: @Sendable ([NetworkAddress]) -> Void = { [weak driver] addresses in
        driver?.perform { endpoint, now in endpoint.learn(addresses, now: now) }
      }
      lookup.again(learn)
      if let server = link.peer?.id { neighbours?.again(for: server, learn) }
    }
  }
}
