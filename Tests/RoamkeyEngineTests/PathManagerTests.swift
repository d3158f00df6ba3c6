import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §5.1 to §5.4: the newest authentic packet moves the session, with challenges and a budget.
struct PathManagerTests {
  static let local = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  static func path(_ host: UInt8, port: UInt16 = 5000) -> NetworkPath {
    NetworkPath(local: local, remote: NetworkAddress(ipv4: 198, 51, 100, host, port: port))
  }
  static let start = Instant(nanoseconds: 0)

  /// Paths whose challenges are numbered from 1 on.
  struct Paths {
    var manager: PathManager
    private var random: UInt64 = 0

    init(_ host: UInt8 = 1) { manager = PathManager(path(host), isValidated: true) }

    mutating func receive(
      _ path: NetworkPath, size: Int = 100, isNewest: Bool = true, isAnnounced: Bool = false, now: Instant = start
    ) -> PathManager.Outcome {
      var random = random
      defer { self.random = random }
      let arrival = PathArrival(path: path, size: size, isNewest: isNewest, isAnnounced: isAnnounced)
      return manager.follow(arrival, probeTimeout: .milliseconds(300), now: now) {
        random += 1
        return random
      }
    }

    mutating func challenge(now: Instant = start) -> UInt64? {
      manager.takeChallenge(now: now, interval: .milliseconds(300))
    }

    mutating func otherChallenge(now: Instant = start) -> PathManager.Challenge? {
      manager.takeOtherChallenge(now: now, interval: .milliseconds(300))
    }

    /// By the way of the active path, if nothing else is said.
    mutating func answer(_ data: UInt64?, from host: UInt8? = nil, now: Instant = start) -> PathManager.Outcome {
      manager.onResponse(data ?? 0, from: host.map { path($0).remote } ?? manager.active.path.remote, now: now)
    }
  }

  static func change(_ from: UInt8, _ to: UInt8) -> PathManager.Change {
    PathManager.Change(from: path(from).remote, to: path(to).remote)
  }

  private func unwrap<Value>(_ value: Value?) throws -> Value { try #require(value) }

  @Test func aNewAddressIsBudgetedUntilItAnswers() throws {
    var paths = Paths()
    #expect(paths.receive(Self.path(2)) == .init(change: Self.change(1, 2)))
    #expect(paths.manager.budget == 300)
    let challenge = try unwrap(paths.challenge())
    paths.manager.onSent(250, to: Self.path(2).remote)
    #expect(paths.manager.budget == 50)
    paths.manager.onSent(250, to: Self.path(2).remote)
    #expect(paths.manager.budget == 0)
    #expect(paths.receive(Self.path(2)) == .unchanged)
    #expect(paths.manager.budget == 100)

    #expect(paths.answer(challenge + 100) == .unchanged)
    #expect(!paths.manager.active.isValidated)
    #expect(paths.answer(challenge) == .init(roamed: Self.change(1, 2)))
    #expect(paths.manager.budget == .max)
    // A response counts once.
    #expect(paths.answer(challenge) == .unchanged)
  }

  @Test func oldAndProbingPacketsMoveNothing() {
    var paths = Paths()
    #expect(paths.receive(Self.path(2), isNewest: false) == .unchanged)
    #expect(paths.manager.active.path == Self.path(1))
  }

  @Test("§5.4: an unannounced move asks the old address too, without a budget, since it is validated")
  func bothAreAsked() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(9))
    let old = try unwrap(paths.otherChallenge())
    #expect(old.path == Self.path(1) && old.budget == .max)
    #expect(paths.otherChallenge() == nil, "not before its time")
    #expect(paths.answer(old.data, from: 1) == .init(change: Self.change(9, 1)))
    #expect(paths.manager.active.isValidated && !paths.manager.isValidating)
  }

  @Test("a router that a player has left unknowingly lets packets in, and none out: that is no reason to go back")
  func theOldOneReceivesOnly() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(2))
    let (new, old) = (paths.challenge(), try unwrap(paths.otherChallenge()))
    #expect(paths.answer(old.data) == .unchanged)
    #expect(paths.answer(new) == .init(roamed: Self.change(1, 2)))
    #expect(paths.otherChallenge(now: Self.start + .seconds(1)) == nil, "it has answered")
    let end = try unwrap(paths.manager.nextTimeout(isBlocked: false))
    #expect(paths.manager.handleTimeout(now: end) == .unchanged)
    #expect(paths.manager.fallback == nil && paths.manager.active.path == Self.path(2))
  }

  @Test("somebody is faster with the peer's packets than the peer: what the old address says is there, if late")
  func duplicatesOfAForwarder() throws {
    var paths = Paths()
    #expect(!paths.manager.mattersAgain(from: Self.path(1).remote))
    _ = paths.receive(Self.path(9))
    let old = try unwrap(paths.otherChallenge())
    #expect(paths.manager.mattersAgain(from: Self.path(1).remote))
    #expect(!paths.manager.mattersAgain(from: Self.path(9).remote))
    // A forged source address alone moves nothing.
    #expect(paths.manager.onDuplicate(from: Self.path(1).remote, now: Self.start) == .unchanged)
    #expect(paths.answer(old.data) == .unchanged)
    #expect(
      paths.manager.onDuplicate(from: Self.path(1).remote, now: Self.start) == .init(change: Self.change(9, 1)))
  }

  @Test func anAnnouncedMoveAsksTheNewAddressOnly() {
    var paths = Paths()
    #expect(paths.receive(Self.path(2), isAnnounced: true) == .init(change: Self.change(1, 2)))
    #expect(paths.otherChallenge() == nil)
    let challenge = paths.challenge()
    #expect(paths.answer(challenge) == .init(roamed: Self.change(1, 2)))
  }

  @Test func thePeerThatGoesOnFromWhereItWasWinsBack() {
    var paths = Paths()
    _ = paths.receive(Self.path(9))
    #expect(paths.receive(Self.path(1)) == .init(change: Self.change(9, 1)))
    #expect(paths.manager.active.isValidated && !paths.manager.isValidating)
    #expect(paths.manager.nextTimeout(isBlocked: false) == nil)
  }

  @Test func theOldOneThatWasLeftSaysSo() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(2))
    let (new, old) = (paths.challenge(), try unwrap(paths.otherChallenge()))
    #expect(paths.answer(new) == .init(roamed: Self.change(1, 2)))
    #expect(paths.manager.onDrop(old.data) == .unchanged)
    #expect(paths.answer(old.data) == .unchanged, "it was settled")
    // It comes back later: a move like any other.
    #expect(paths.receive(Self.path(1)) == .init(change: Self.change(2, 1)))
    #expect(!paths.manager.active.isValidated)
  }

  @Test("the old one answers late, after the new one: the session goes back, and the app hears of both")
  func aLateAnswer() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(2))
    let (new, old) = (paths.challenge(), try unwrap(paths.otherChallenge()))
    #expect(paths.answer(new) == .init(roamed: Self.change(1, 2)))
    #expect(paths.answer(old.data, from: 1) == .init(change: Self.change(2, 1), roamed: Self.change(2, 1)))
  }

  @Test func anAddressThatWasDroppedIsLeft() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(2))
    let challenge = try unwrap(paths.challenge())
    #expect(paths.manager.onDrop(challenge) == .init(change: Self.change(2, 1)))
  }

  @Test func anAnnouncedAddressThatDoesNotAnswerIsGivenUp() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(2), isAnnounced: true)
    var now = Self.start
    var challenges = 0
    while paths.manager.isValidating {
      if paths.challenge(now: now) != nil { challenges += 1 }
      now = try unwrap(paths.manager.nextTimeout(isBlocked: false))
      if paths.manager.handleTimeout(now: now) != .unchanged { break }
    }
    #expect(challenges == 3)
    #expect(now == Self.start + .seconds(3))
    #expect(paths.manager.active.path == Self.path(1))
  }

  @Test("neither answers: what is heard counts, and is asked again")
  func neitherAnswers() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(2))
    while paths.manager.isValidating {
      let now = try unwrap(paths.manager.nextTimeout(isBlocked: false))
      _ = (paths.challenge(now: now), paths.otherChallenge(now: now))
      #expect(paths.manager.handleTimeout(now: now) == .unchanged)
    }
    #expect(paths.manager.active.path == Self.path(2) && !paths.manager.active.isValidated)
    #expect(paths.receive(Self.path(2), now: Self.start + .seconds(5)) == .unchanged)
    #expect(paths.challenge(now: Self.start + .seconds(5)) != nil)
  }

  @Test func aChainOfMovesFallsBackToTheLastAddressThatAnswered() throws {
    var paths = Paths()
    _ = paths.receive(Self.path(2))
    let second = paths.challenge()
    _ = paths.receive(Self.path(3))
    // The answer for an address that was left again says nothing about the one after it.
    #expect(paths.answer(second) == .unchanged)
    let first = try unwrap(paths.otherChallenge())
    #expect(first.path == Self.path(1))
    let third = paths.challenge()
    #expect(paths.answer(third) == .init(roamed: Self.change(1, 3)))
  }

  @Test func anotherPortOfTheSameHost() throws {
    var paths = Paths()
    let change = try unwrap(paths.receive(Self.path(1, port: 6000)).change)
    #expect(!change.isNewIP)
  }

  @Test("§5.4: after three reversals in a minute nobody is believed without proof")
  func reversals() throws {
    var paths = Paths()
    var now = Self.start
    for _ in 0..<3 {
      #expect(paths.receive(Self.path(9), now: now) == .init(change: Self.change(1, 9)))
      #expect(paths.receive(Self.path(1), now: now) == .init(change: Self.change(9, 1)))
      now = now + .seconds(1)
    }
    #expect(paths.receive(Self.path(9), now: now) == .unchanged)
    #expect(paths.manager.active.path == Self.path(1))
    let (here, there) = (paths.challenge(now: now), try unwrap(paths.otherChallenge(now: now)))
    #expect(there.path == Self.path(9) && there.budget == 300)
    // It answers, and so does the old one: nothing changes.
    #expect(paths.answer(there.data, now: now) == .unchanged)
    #expect(paths.answer(here, now: now) == .unchanged)
    #expect(paths.manager.candidate == nil)

    // It is heard again, and now the old one is silent.
    #expect(paths.receive(Self.path(9), now: now) == .unchanged)
    #expect(paths.manager.candidate == nil, "not at once")
    now = now + .seconds(1)
    #expect(paths.receive(Self.path(9), now: now) == .unchanged)
    let again = try unwrap(paths.otherChallenge(now: now))
    #expect(paths.answer(again.data, now: now) == .unchanged)
    now = now + .seconds(3)
    #expect(paths.manager.handleTimeout(now: now) == .init(change: Self.change(1, 9), roamed: Self.change(1, 9)))
    #expect(paths.manager.active.isValidated)
  }

  @Test func whoSaysSoMovesInSpiteOfReversals() {
    var paths = Paths()
    for _ in 0..<3 { _ = (paths.receive(Self.path(9)), paths.receive(Self.path(1))) }
    #expect(paths.receive(Self.path(2), isAnnounced: true) == .init(change: Self.change(1, 2)))
  }

  @Test func reversalsAreForgottenAfterAMinute() {
    var paths = Paths()
    for _ in 0..<3 { _ = (paths.receive(Self.path(9)), paths.receive(Self.path(1))) }
    #expect(paths.receive(Self.path(9), now: Self.start + .seconds(61)) == .init(change: Self.change(1, 9)))
  }

  @Test func aCandidateGetsThreeTimesWhatCameFromThere() {
    var paths = Paths()
    for _ in 0..<3 { _ = (paths.receive(Self.path(9)), paths.receive(Self.path(1))) }
    _ = paths.receive(Self.path(9), size: 40)
    let challenge = paths.otherChallenge()
    #expect(challenge?.budget == 120)
    paths.manager.onSent(120, to: Self.path(9).remote)
    #expect(paths.otherChallenge(now: Self.start + .seconds(1)) == nil)
  }

  @Test func challengesAreAnsweredOnceEachAndNotWithoutLimit() {
    var paths = PathManager(Self.path(1), isValidated: true)
    for i in 0..<10 { paths.onChallenge(UInt64(i), from: Self.path(7), size: 50, answer: .response) }
    var answered: [UInt64] = []
    while let response = paths.takeResponse() {
      #expect(response.path == Self.path(7) && paths.budget(of: response) == 150)
      answered.append(response.data)
    }
    #expect(answered == [0, 1, 2, 3])
  }
}
