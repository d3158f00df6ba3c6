/// What happens to the network, and to the machines on it.
extension Simulation {
  // MARK: Lines

  /// Changes how a client's line treats datagrams, each way.
  public func setNetwork(_ network: NetworkConditions, of client: SimulatedClient) {
    world.setConditions(network, of: client.player.host)
  }

  /// Changes how a client's line treats what it sends and what it is sent.
  public func setNetwork(up: NetworkConditions, down: NetworkConditions, of client: SimulatedClient) {
    world.setConditions(up: up, down: down, of: client.player.host)
  }

  /// Changes how the server's line treats datagrams, each way.
  public func setServerNetwork(_ network: NetworkConditions) { world.setConditions(network, of: world.serverHost) }

  // MARK: Places

  /// Adds a router with an address of its own; clients are behind it when they are added or move there.
  /// - Parameters:
  ///   - timeout: how long it remembers a client that sends nothing: 30 s are found in the field.
  ///   - isSymmetric: whether a client appears under another port to each destination.
  ///   - network: how the line that all behind it share treats datagrams, each way, beside their own.
  public func addRouter(
    timeout: Duration = .seconds(30), isSymmetric: Bool = false, network: NetworkConditions = .perfect
  ) -> SimulatedRouter {
    SimulatedRouter(world.addNAT(NATBehavior(timeout: timeout, isSymmetric: isSymmetric), conditions: network))
  }

  /// Takes a client to another network, with another address. Its line stays as it was: see ``setNetwork(_:of:)``.
  /// - Parameters:
  ///   - client: who moves.
  ///   - router: the one there; none by default.
  ///   - isNoticed: whether its system tells it so, as Linux does.
  public func move(_ client: SimulatedClient, behind router: SimulatedRouter? = nil, isNoticed: Bool = true) {
    world.move(client.player, isNoticed: isNoticed, behind: router?.nat)
  }

  /// Takes the server to another network, with another address: clients follow it (`serverRoamed`).
  /// - Parameter isNoticed: whether its system tells it so, as Linux does.
  public func moveServer(isNoticed: Bool = true) { world.moveServer(isNoticed: isNoticed) }

  /// A client's router gives it another port, which the client cannot see: what is sent to the old one is lost. With a
  /// simulated router all behind it are concerned.
  public func rebind(_ client: SimulatedClient) { world.rebind(client.player) }

  /// Cuts clients off from the server. Several cuts may be in force at once.
  /// - Parameters:
  ///   - clients: who is cut off.
  ///   - direction: which datagrams are stopped, as seen from the clients.
  ///   - duration: for how long; until ``heal()`` by default.
  public func cut(_ clients: [SimulatedClient], _ direction: CutDirection = .both, for duration: Duration? = nil) {
    world.partition(clients.map(\.player.host), direction, for: duration)
  }

  /// Ends all cuts.
  public func heal() { world.heal() }

  // MARK: Machines

  /// Stands a client's process still: a laptop that is closed, a browser's tab in the background. Ticks of
  /// `every(_:on:)` are left out. What arrives waits in the socket's buffer, 208 KiB at most.
  /// - Parameters:
  ///   - client: whose process.
  ///   - duration: how long it stands still.
  ///   - stopsClock: whether the machine's clock stands still as well, as that of a sleeping machine does.
  public func suspend(_ client: SimulatedClient, for duration: Duration, stopsClock: Bool = false) {
    world.suspend(client.player.host, for: duration, stopsClock: stopsClock)
  }

  /// Ends a client's process without a word and begins another with the same key, which connects at once. Events that
  /// were not taken are gone; the game's own state is the game's affair.
  /// - Parameters:
  ///   - client: whose process.
  ///   - downtime: how long nothing runs.
  ///   - keepsPort: whether the new process gets the port of the old one.
  public func restart(_ client: SimulatedClient, after downtime: Duration = .zero, keepsPort: Bool = false) {
    world.restart(client.player, after: downtime, keepsPort: keepsPort)
    client.attach()
  }

  /// Ends the server's process without a word and begins another with the same key and address. It knows none of the
  /// sessions from before: it tells their clients so, and they connect anew by themselves (`reconnected`).
  /// - Parameters:
  ///   - downtime: how long nothing runs.
  ///   - keepsInstance: whether it has the instance file of the one before. Without it clients are told nothing, and
  ///     give up when `offlineLimit` has passed.
  public func restartServer(after downtime: Duration = .zero, keepsInstance: Bool = true) {
    world.restartServer(after: downtime, keepsInstance: keepsInstance)
    server.attach()
  }
}
