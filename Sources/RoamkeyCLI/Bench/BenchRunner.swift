internal import Roamkey
internal import RoamkeyTerminal

/// What one story came to, under one policy.
struct BenchResult: Sendable {
  enum Figure: Sendable {
    case times(BenchTimes)
    /// Nil: nothing arrived in the time.
    case rate(BenchRate?)
  }

  var story: BenchStory
  var policy: SigningPolicy
  var figure: Figure
  /// Microseconds of processor time of this process for one exchange; with a rate it stands there.
  var processor: Double?
  /// Nil before there is a session that lasts.
  var path: BenchPath?
  /// Clients who were at the server beside this one.
  var others: UInt64 = 0
  /// Unreliable messages that the server let go before it could count them.
  var unread: UInt64 = 0
}

/// The client's side: finds the doors of a bench server and goes through the stories, policy by policy.
struct BenchRunner: Sendable {
  let target: BenchTarget
  let settings: BenchSettings
  let progress: BenchProgress

  /// How often `connect` connects at most.
  private static let connects = 10

  /// - Parameters:
  ///   - began: told where the server is and who, before anything is measured.
  ///   - each: told of every story when it is over.
  func run(
    began: (NetworkAddress, PlayerID) throws(Failure) -> Void, each: (BenchResult) throws(Failure) -> Void
  ) async throws(Failure) {
    let (address, id, doors) = try await look()
    try began(address, id)
    let policies = settings.policy?.policies ?? BenchPolicy.both.policies.filter { doors.ports[$0] != nil }
    for policy in policies {
      guard let port = doors.ports[policy] else {
        throw Failure(
          .refused, code: "wrongSigningPolicy",
          "the bench server at \(address) has no \(policy.benchName) packets: start it with --policy both")
      }
      var door = address
      // The port of this one is known better here, where a router may stand between.
      if policy != doors.here { door.port = port }
      for story in settings.stories {
        let target = BenchTarget(server: door.description, pin: id)
        let label = "\(policy.benchName) \(story.title)"
        let result = await progress.show(label, for: settings.duration) {
          await Result.of { () throws(Failure) in try await measure(story, policy, target) }
        }
        try each(try result.get())
      }
    }
  }

  private func look() async throws(Failure) -> (NetworkAddress, PlayerID, BenchDoors) {
    let session = try await BenchSession.open(target, requiring: nil)
    let doors = await Result.of { () throws(Failure) in try await session.askForDoors(settings) }
    let (address, id) = (session.client.serverAddress, session.client.serverID)
    await session.close()
    return (address, id, try doors.get())
  }

  // MARK: Stories

  private func measure(
    _ story: BenchStory, _ policy: SigningPolicy, _ target: BenchTarget
  ) async throws(Failure) -> BenchResult {
    if story == .connect { return try await connect(policy, target) }
    let session = try await BenchSession.open(target, requiring: policy)
    session.say(.begin, story.rawValue)
    let result = await Result.of { () throws(Failure) in
      var result = try await measure(story, policy, session)
      result.path = await session.client.sessionStatistics().map { BenchPath($0) }
      return result
    }
    await session.close()
    return try result.get()
  }

  private func measure(
    _ story: BenchStory, _ policy: SigningPolicy, _ session: BenchSession
  ) async throws(Failure) -> BenchResult {
    if story == .roundtrip {
      let seen = try await BenchRoundTrips(session: session, settings: settings).run()
      return BenchResult(story: story, policy: policy, figure: .times(seen.times), processor: seen.processor)
    }
    let (first, last) = try await BenchFlood(session: session, story: story, settings: settings).run()
    let players = max(first.report.players, last.report.players)
    return BenchResult(
      story: story, policy: policy, figure: .rate(BenchRate(first, last)), others: players - min(players, 1),
      unread: last.report.unread - min(last.report.unread, first.report.unread))
  }

  /// Sessions that are opened and closed, one after the other.
  private func connect(_ policy: SigningPolicy, _ target: BenchTarget) async throws(Failure) -> BenchResult {
    var times: [Duration] = []
    let start = ContinuousClock.now
    repeat {
      let before = ContinuousClock.now
      let session = try await BenchSession.open(target, requiring: policy)
      times.append(.now - before)
      await session.close()
    } while times.count < Self.connects && ContinuousClock.now - start < settings.duration && !Task.isCancelled
    return BenchResult(story: .connect, policy: policy, figure: .times(BenchTimes(times)))
  }
}

extension Result where Failure == RoamkeyTerminal.Failure {
  /// What `body` gives, where something has to be done before it is thrown on.
  static func of(_ body: () async throws(Failure) -> Success) async -> Self {
    do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
  }
}
