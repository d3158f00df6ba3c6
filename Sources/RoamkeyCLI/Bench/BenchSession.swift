internal import Roamkey
internal import RoamkeyTerminal

/// Where a bench server is, and which key it has to have.
struct BenchTarget: Sendable {
  var server: String
  var pin: PlayerID?
}

/// One session of a bench client. Each story has one of its own: it waits for nothing that another one has left.
struct BenchSession: Sendable {
  let client: Client

  /// What a flood may have queued: the library's own limit, as in any app.
  static let queueLimit = RoamkeyConfiguration().sendQueueLimit
  /// What may be queued beyond that is left to questions: a full queue must not hold them up.
  private static let queueReserve = 64 << 10

  /// Connects with a key that is forgotten afterwards.
  static func open(_ target: BenchTarget, requiring policy: SigningPolicy?) async throws(Failure) -> BenchSession {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = BenchAction.maximumMessageSize
    configuration.sendQueueLimit = queueLimit + queueReserve
    do throws(RoamkeyError) {
      return BenchSession(
        client: try await Client(
          key: .generate(), application: BenchAction.application, server: target.server, pinned: target.pin,
          requiring: policy, configuration: configuration))
    } catch {
      throw Failure(error)
    }
  }

  /// Whether `bytes` more may wait.
  func hasRoom(for bytes: Int) -> Bool { client.queuedBytes + bytes <= Self.queueLimit }

  func say(_ action: BenchAction, _ text: String = "") {
    // What does not fit, or has nobody to go to any more, is missed by whoever waits for the answer.
    try? client.send(Message(text, as: action.rawValue), options: BenchAction.urgent)
  }

  /// What is not delivered by now does not matter any more.
  func close() async { await client.close(afterDelivery: false) }

  // MARK: Where is what

  /// Asks for the ports of all policies.
  func askForDoors(_ settings: BenchSettings) async throws(Failure) -> BenchDoors {
    say(.doors)
    return try await answer(within: settings.patience) { await readDoors() }.get()
  }

  private func readDoors() async -> Result<BenchDoors, Failure>? {
    for await event in client.events {
      if let failure = Failure(benchEvent: event) { return .failure(failure) }
      guard case .message(let message) = event else { continue }
      guard message.action == BenchAction.doors.rawValue, let doors = message.text.flatMap({ BenchDoors($0) }) else {
        return .failure(.benchNonsense)
      }
      return .success(doors)
    }
    return nil
  }

  // MARK: Bounded in time

  /// What `reader` finds. It returns nil only when it is cancelled, as it is when it takes too long.
  /// - Parameter work: what goes on until then.
  func answer<R: Sendable>(
    within limit: Duration, while work: @escaping @Sendable () async -> Void = {},
    _ reader: @escaping @Sendable () async -> Result<R, Failure>?
  ) async -> Result<R, Failure> {
    let found = Locked<Result<R, Failure>?>(nil)
    await withDeadline(limit) {
      // Cancelled when it is left.
      async let _: Void = work()
      let result = await reader()
      found.withLock { $0 = result }
    }
    if let result = found.withLock({ $0 }) { return result }
    return .failure(Task.isCancelled ? .benchInterrupted : .benchSilence(client.serverAddress))
  }
}

extension Failure {
  /// Nil for events after which a measurement goes on.
  init?(benchEvent event: Client.Event) {
    switch event {
    case .message, .roamed, .serverRoamed, .offline, .online: return nil
    case .reconnected:
      self.init(code: "disconnected", "the bench server was started anew in the middle of a story: begin again")
    case .disconnected(.kicked(let words)):
      self.init(
        .refused, code: "disconnected", "the bench server does not do what was asked: \(Console.plain(words))")
    case .disconnected(let reason):
      self.init(code: "disconnected", "the session with the bench server has ended: \(reason.words)")
    }
  }

  static func benchSilence(_ server: NetworkAddress) -> Failure {
    Failure(
      code: "noAnswer",
      "the bench server at \(server) does not answer any more: check that it runs and the network carries packets")
  }

  static var benchNonsense: Failure {
    Failure(code: "benchAnswer", "the bench server gave an answer that is none: update both sides")
  }

  static var benchInterrupted: Failure {
    Failure(code: "interrupted", "interrupted: what was not measured by now has no figures")
  }
}
