public import Roamkey

/// Tells a state to others many times a second: a whole one at first, and then what differs from those that they are
/// known to have.
///
///     var world = StatePublisher<World>()
///
///     // each tick
///     for event in world.take(server.takeEvents()) { apply(event) }
///     world.take(server.takeReceipts())
///     world.publish(game.world, to: server)
///     server.flush()
///
/// The other side reads with a ``StateSubscriber`` of the same action and channel. A state may be of any type that is
/// `Encodable`; elements of arrays are known again by their `id`, where they have one. Messages are `latest`: a lost
/// one is never repeated, the next one makes up for it. A whole state of more than about 8 kB goes `reliableOrdered`
/// instead, and its player is sent no other until it has arrived: this needs its receipts taken.
public struct StatePublisher<State: Encodable> {
  private var core: PublisherCore

  /// - Parameters:
  ///   - action: the action of its messages, at most 63 bytes. Another program must not send messages with it.
  ///   - channel: of its messages. A second publisher to the same receivers needs another one, and so do other messages
  ///     that are `latest`: of a channel only the latest message counts. Two that both keep the default overtake each
  ///     other's states, and their subscribers cannot tell them apart.
  ///   - limits: beyond them a state is not sent.
  ///   - expires: for how long a message is worth sending; nil for as long as the session lasts.
  public init(
    as action: String = "state", channel: UInt8 = defaultStateChannel, limits: StateLimits = .init(),
    expires: Duration? = .seconds(1)
  ) {
    precondition(action.utf8.count <= StateRequest.maximumAction, "the action of a state has at most 63 bytes")
    core = PublisherCore(action: action, channel: channel, limits: limits, expires: expires)
  }

  /// What it has done so far.
  public var statistics: StatePublisherStatistics { core.statistics }

  // MARK: To players

  /// Tells all players the same state.
  /// - Returns: whom it could not be told, and why; empty when all is well.
  @discardableResult
  public mutating func publish(_ state: State, to server: some GameServer) -> [PlayerID: SendError] {
    let players = server.players
    core.begin(players)
    var failures: [PlayerID: SendError] = [:]
    guard let tree = tree(state, for: players, &failures) else { return failures }
    for player in players { send(tree, to: player, of: server, &failures) }
    return failures
  }

  /// Tells each player what it may see. Views that are equal are worked out and written once.
  /// - Parameters:
  ///   - server: whose players are told.
  ///   - view: what a player sees; nil for nothing at all this time.
  /// - Returns: whom it could not be told, and why; empty when all is well.
  @discardableResult
  public mutating func publish(
    to server: some GameServer, _ view: (PlayerID) throws -> State?
  ) rethrows -> [PlayerID: SendError] {
    let players = server.players
    core.begin(players)
    var failures: [PlayerID: SendError] = [:]
    var trees: [UInt64: StateTree] = [:]
    for player in players {
      guard let state = try view(player), var tree = tree(state, for: [player], &failures) else { continue }
      if let known = trees[tree.hash], known.equals(tree) { tree = known } else { trees[tree.hash] = tree }
      send(tree, to: player, of: server, &failures)
    }
    return failures
  }

  /// Tells each player what its group may see: a team, a room, a part of the map.
  /// - Parameters:
  ///   - server: whose players are told.
  ///   - group: which group a player is in; nil for none, and nothing at all this time.
  ///   - view: what a group sees. It is asked once a group.
  /// - Returns: whom it could not be told, and why; empty when all is well.
  @discardableResult
  public mutating func publish<Group: Hashable>(
    to server: some GameServer, by group: (PlayerID) throws -> Group?, _ view: (Group) throws -> State
  ) rethrows -> [PlayerID: SendError] {
    let players = server.players
    core.begin(players)
    var failures: [PlayerID: SendError] = [:]
    var trees: [Group: Result<StateTree, SendError>] = [:]
    for player in players {
      guard let group = try group(player) else { continue }
      let result: Result<StateTree, SendError>
      if let known = trees[group] {
        result = known
      } else {
        result = tree(try view(group))
        trees[group] = result
      }
      switch result {
      case .success(let tree): send(tree, to: player, of: server, &failures)
      case .failure(let error): failures[player] = error
      }
    }
    return failures
  }

  // MARK: To a server

  /// Tells the server a state. Each player's is read by a ``StateSubscriber`` of its own there.
  /// - Returns: nil when it is queued, else why not.
  @discardableResult
  public mutating func publish(_ state: State, to client: some GameClient) -> SendError? {
    core.begin([client.serverID])
    var failures: [PlayerID: SendError] = [:]
    guard let tree = tree(state, for: [client.serverID], &failures) else { return failures[client.serverID] }
    // A client's sessions have no numbers: a server that has begun anew asks.
    guard let body = core.body(tree, for: client.serverID, session: PublisherCore.anySession) else { return nil }
    do throws(SendError) {
      try client.send(Message(body.bytes, as: core.action), options: core.options(body))
      core.sent(tree, body, to: client.serverID)
      return nil
    } catch {
      core.failed()
      return error
    }
  }

  // MARK: What comes back

  /// Takes the receipts of its own messages.
  /// - Returns: the others, among them those of a publisher that was here before it, whose numbers are 2^63 or more.
  @discardableResult
  public mutating func take(_ receipts: [Receipt]) -> [Receipt] { receipts.filter { !core.take($0) } }

  /// Takes a player's request for a whole state; false for any other message.
  ///
  /// A player asks where it could not keep up: without it that one would never see a state again.
  @discardableResult
  public mutating func take(_ message: Message, from player: PlayerID) -> Bool { core.take(message, from: player) }

  /// Takes the requests of players for whole states.
  /// - Returns: all other events.
  @discardableResult
  public mutating func take(_ events: [Server.Event]) -> [Server.Event] {
    events.filter { event in
      if case .message(let message, let player) = event { !core.take(message, from: player) } else { true }
    }
  }

  /// Takes the server's requests for whole states, where a client publishes.
  /// - Returns: all other events.
  @discardableResult
  public mutating func take(_ events: [Client.Event], from client: some GameClient) -> [Client.Event] {
    let server = client.serverID
    return events.filter { event in
      if case .message(let message) = event { !core.take(message, from: server) } else { true }
    }
  }

  // MARK: -

  private mutating func tree(
    _ state: State, for players: [PlayerID], _ failures: inout [PlayerID: SendError]
  ) -> StateTree? {
    switch tree(state) {
    case .success(let tree): return tree
    case .failure(let error):
      for player in players { failures[player] = error }
      return nil
    }
  }

  private mutating func tree(_ state: State) -> Result<StateTree, SendError> {
    do throws(StateError) {
      return .success(try core.tree(state))
    } catch {
      core.failed()
      return .failure(.notEncodable("\(error)"))
    }
  }

  private mutating func send(
    _ tree: StateTree, to player: PlayerID, of server: some GameServer, _ failures: inout [PlayerID: SendError]
  ) {
    guard let session = server.sessionNumber(of: player) else {
      failures[player] = .notConnected
      return
    }
    guard let body = core.body(tree, for: player, session: session) else { return }
    if let error = server.send(Message(body.bytes, as: core.action), to: player, options: core.options(body)) {
      core.failed()
      failures[player] = error
    } else {
      core.sent(tree, body, to: player)
    }
  }
}

extension StatePublisher: Sendable {}

/// The channel of states, unless another one is named: out of the way of those that games begin with.
public let defaultStateChannel: UInt8 = 63
