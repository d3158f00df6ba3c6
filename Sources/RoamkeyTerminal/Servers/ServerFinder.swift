public import Roamkey

/// Connects to a server under the key that it must have: the one that was given, or the one that it had before.
public struct ServerFinder {
  /// The only key that the server may have, if somebody has said it.
  public let pin: PlayerID?
  /// Which key each server had before.
  public let known: KnownServers
  /// What is played there.
  public let application: String
  /// What the player is called there, if anything.
  public var name: String?
  /// Limits and timers of the client.
  public var configuration = RoamkeyConfiguration()
  /// How the local network is asked.
  package var look: @Sendable (NeighbourFinder) async throws(Failure) -> NeighbourFinder.Finding = {
    (finder) async throws(Failure) in try await finder.find()
  }
  /// How the system is asked for a host. It may take its time.
  package var resolve: @Sendable (String) throws(HostError) -> Void = { (text) throws(HostError) in
    _ = try HostResolver.resolve(text, defaultPort: Client.defaultPort)
  }

  /// Where lines for people go that are no failure: what was met for the first time, which servers there are.
  public var onNote: @Sendable (String) -> Void = { Console.note($0) }

  /// - Parameters:
  ///   - pin: the only key that the server may have.
  ///   - known: which key each server had before: asked and added to where there is no pin.
  ///   - application: what is played there.
  public init(pin: PlayerID?, known: KnownServers, application: String) {
    (self.pin, self.known, self.application) = (pin, known, application)
  }

  /// With other ways to ask the network and the system.
  package init(
    pin: PlayerID?, known: KnownServers, application: String,
    look: @escaping @Sendable (NeighbourFinder) async throws(Failure) -> NeighbourFinder.Finding,
    resolve: @escaping @Sendable (String) throws(HostError) -> Void
  ) {
    self.init(pin: pin, known: known, application: application)
    (self.look, self.resolve) = (look, resolve)
  }

  /// Where a server is.
  package enum Place: Equatable {
    case host
    case neighbour(FoundServer)
  }

  /// Connects to what somebody has written: a host, or a name.
  public func connect(_ key: consuming PlayerKey, to text: String) async throws(Failure) -> Client {
    switch try await place(of: text) {
    case .host: try await connect(key, host: text)
    case .neighbour(let server): try await connect(key, to: server)
    }
  }

  /// Connects to whichever server of the local network has the key that was given.
  public func connect(_ key: consuming PlayerKey, pin: PlayerID) async throws(Failure) -> Client {
    guard let server = try await neighbour(nil, met: nil) else {
      throw Self.notFound("no server of \(what) on the local network has the key \(pin): say its host and port")
    }
    return try await connect(key, to: server)
  }

  /// Connects to a server that was found on the local network.
  public func connect(_ key: consuming PlayerKey, to server: FoundServer) async throws(Failure) -> Client {
    let name = KnownServers.name(of: server)
    let shown = KnownServers.isName(name) ? server.label : name
    let entry = pin == nil ? try known.find(name) : nil
    if let entry, entry.server != server.id { throw known.refusal(entry, found: server.id, name: shown) }
    let client: Client
    do throws(RoamkeyError) {
      client = try await Client(key: key, server: server, name: self.name, configuration: configuration)
    } catch {
      throw Failure(error)
    }
    if pin == nil && entry == nil { try await remember(client, name, shown) }
    return client
  }

  private func connect(_ key: consuming PlayerKey, host: String) async throws(Failure) -> Client {
    let name = KnownServers.name(of: host)
    // Whoever names the key need not trust a file.
    let entry = pin == nil ? try known.find(name) : nil
    let client: Client
    do throws(RoamkeyError) {
      client = try await Client(
        key: key, application: application, server: host, pinned: pin ?? entry?.server, name: self.name,
        configuration: configuration)
    } catch {
      if let entry, let found = error.foundServer { throw known.refusal(entry, found: found, name: name) }
      throw Failure(error)
    }
    if pin == nil && entry == nil { try await remember(client, name, name) }
    return client
  }

  /// - Parameter shown: the name as people know it.
  private func remember(_ client: Client, _ name: String, _ shown: String) async throws(Failure) {
    do throws(Failure) {
      let entry = try known.remember(client.serverID, as: name)
      guard entry.server == client.serverID else { throw known.refusal(entry, found: client.serverID, name: shown) }
    } catch {
      await client.close(afterDelivery: false)
      throw error
    }
    onNote("first time at \(shown): its key \(client.serverID) is remembered in \(known.path)")
    onNote("compare aloud with its owner: \(client.serverID.fingerprint)")
  }
}

// MARK: Names

extension ServerFinder {
  /// What somebody has written.
  package func place(of text: String) async throws(Failure) -> Place {
    let met = try KnownServers.name(ofNeighbour: text).flatMap { name throws(Failure) in try known.find(name) }?.server
    switch Destination(text) {
    case .host: return .host
    case .hostOrName:
      // Unsure, it stays a host: else whoever disturbs the look-up could send people to a neighbour.
      if try await isHost(text, whenUnsure: true) { return .host }
      if let server = try await neighbour(text, met: met) { return .neighbour(server) }
    case .nameOrHost:
      // Where it was met is where it is.
      if try known.find(KnownServers.name(of: text)) != nil { return .host }
      var finding = NeighbourFinder.Finding.none
      var obstacle: Failure?
      do throws(Failure) {
        finding = try await find(text, met: met)
      } catch {
        obstacle = error
      }
      if let server = try choose(finding) { return .neighbour(server) }
      // Who was a neighbour does not become a stranger's host.
      if met == nil, try await isHost(text, whenUnsure: false) { return .host }
      // Where nobody can look (a sandbox without netlink) there may be hosts all the same; else it has to be said.
      if let obstacle { throw obstacle }
    case .name:
      if let server = try await neighbour(text, met: met) { return .neighbour(server) }
    }
    let name = Console.plain(text)
    throw Self.notFound(
      Destination(text) == .name || met != nil
        ? "no server of \(what) on the local network is called '\(name)': `roamkey servers` lists those that there are"
        : "there is neither a server of \(what) on the local network nor a host called '\(name)': check the spelling")
  }

  /// What is looked for.
  private var what: String { Console.plain(application) }

  private func neighbour(_ name: String?, met: PlayerID?) async throws(Failure) -> FoundServer? {
    try choose(try await find(name, met: met))
  }

  private func find(_ name: String?, met: PlayerID?) async throws(Failure) -> NeighbourFinder.Finding {
    try await look(NeighbourFinder(name: name, pin: pin, met: met, application: application))
  }

  private func choose(_ finding: NeighbourFinder.Finding) throws(Failure) -> FoundServer? {
    switch finding {
    case .none: return nil
    case .one(let server): return server
    case .several(let servers):
      for server in servers {
        onNote("\(server.id.fingerprint)  \(server.label) at \(server.address)  \(server.id)")
      }
      throw Failure(
        code: "severalServers",
        "servers of that name on the local network: \(servers.count); say with --server which one is meant")
    }
  }

  /// Whether the system knows a host of that name.
  /// - Parameter isUnsure: the answer where no name service answers.
  private func isHost(_ text: String, whenUnsure isUnsure: Bool) async throws(Failure) -> Bool {
    if try known.find(KnownServers.name(of: text)) != nil { return true }
    let resolve = resolve
    return await withCheckedContinuation { continuation in
      runOnOwnThread {
        do throws(HostError) {
          try resolve(text)
          continuation.resume(returning: true)
        } catch {
          switch error {
          case .notFound: continuation.resume(returning: false)
          case .noAnswer: continuation.resume(returning: isUnsure)
          case .badText, .badPort: continuation.resume(returning: true)
          }
        }
      }
    }
  }

  private static func notFound(_ sentence: String) -> Failure { Failure(code: "notFound", sentence) }
}
