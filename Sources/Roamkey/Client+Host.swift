public import RoamkeyCrypto
public import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

extension Client {
  /// The host's own way into the game: connects to a server of the same process, over loopback, and to no other one.
  ///
  ///     let server = try await Server(key: .loadOrGenerate("keys/server.pem"), application: "galaxy/1")
  ///     let client = try await Client(key: .loadOrGenerate("keys/me.pem"), joining: server, name: "Ada")
  ///
  /// The two have a thread each and share nothing: for the server this player is one like any other, and the client
  /// does not keep the server alive. Application and pin are the server's. Whoever hosts has two keys: a player's own,
  /// and the server's.
  /// - Parameters:
  ///   - key: the player's key, handed over for good.
  ///   - server: one that was not closed.
  ///   - name: what the player is called, as for any client.
  ///   - loop: leave it, unless the game's own thread is to do all the work (``LoopMode/polled``).
  ///   - configuration: limits and timers of the client.
  /// - Throws: `RoamkeyError`, for instance when the server does not let this player in.
  public convenience init(
    key: consuming PlayerKey, joining server: Server, name: String? = nil, loop: LoopMode = .ownThread,
    configuration: RoamkeyConfiguration = .init()
  ) async throws(RoamkeyError) {
    guard !server.link.isStopped else {
      throw RoamkeyError(.closed, "the server to join was closed: start it again")
    }
    let address = server.address.reachableHere
    let driver = server.drivers[0]
    try await self.init(
      key: key, application: server.application, server: "\(address)", pinned: server.id, name: name, loop: loop,
      configuration: configuration, host: driver.isPolled ? driver : nil
    ) { _ throws(HostError) in [address] }
  }
}

extension NetworkAddress {
  /// Where on this machine somebody who listens here is to be found.
  var reachableHere: NetworkAddress {
    isUnspecified ? NetworkAddress(ipv4: 127, 0, 0, 1, port: port) : self
  }
}
