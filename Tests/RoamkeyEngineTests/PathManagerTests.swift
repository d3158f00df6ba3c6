import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §5, first form: the newest authentic packet moves the session, with a challenge and a budget.
struct PathManagerTests {
  static let local = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  static func path(_ host: UInt8, port: UInt16 = 5000) -> NetworkPath {
    NetworkPath(local: local, remote: NetworkAddress(ipv4: 198, 51, 100, host, port: port))
  }
  static let start = Instant(nanoseconds: 0)

  static func receive(
    _ paths: inout PathManager, _ path: NetworkPath, size: Int = 100, isNewest: Bool = true, mayMove: Bool = true,
    challenge: UInt64 = 42, now: Instant = start
  ) -> PathManager.Outcome {
    paths.onPacket(
      from: path, size: size, isNewest: isNewest, mayMove: mayMove, challenge: challenge,
      probeTimeout: .milliseconds(300), now: now)
  }

  @Test func aNewAddressIsBudgetedUntilItAnswers() {
    var paths = PathManager(Self.path(1), isValidated: true)
    #expect(Self.receive(&paths, Self.path(2)) == .moving(newIP: true))
    let there = Self.path(2).remote
    #expect(paths.budget(for: there) == 300)
    #expect(paths.takeChallenge(now: Self.start, interval: .milliseconds(300)) == 42)
    paths.onSent(250, to: there)
    #expect(paths.budget(for: there) == 50)
    paths.onSent(250, to: there)
    #expect(paths.budget(for: there) == 0)
    #expect(Self.receive(&paths, Self.path(2)) == .unchanged)
    #expect(paths.budget(for: there) == 100)

    #expect(paths.onResponse(41) == .unchanged)
    #expect(!paths.active.isValidated)
    #expect(paths.onResponse(42) == .validated(from: Self.path(1).remote, to: there))
    #expect(paths.budget(for: there) == .max)
    // A response counts once.
    #expect(paths.onResponse(42) == .unchanged)
  }

  @Test func oldAndProbingPacketsMoveNothing() {
    var paths = PathManager(Self.path(1), isValidated: true)
    #expect(Self.receive(&paths, Self.path(2), isNewest: false) == .unchanged)
    #expect(Self.receive(&paths, Self.path(2), mayMove: false) == .unchanged)
    #expect(paths.active.path == Self.path(1))
  }

  @Test func thePeerThatGoesOnFromWhereItWasWinsBack() {
    var paths = PathManager(Self.path(1), isValidated: true)
    #expect(Self.receive(&paths, Self.path(9)) == .moving(newIP: true))
    #expect(Self.receive(&paths, Self.path(1)) == .returned(newIP: true))
    #expect(paths.active.isValidated)
    #expect(!paths.isValidating)
    #expect(paths.onResponse(42) == .unchanged)
  }

  @Test func anAddressThatDoesNotAnswerIsGivenUp() throws {
    var paths = PathManager(Self.path(1), isValidated: true)
    #expect(Self.receive(&paths, Self.path(2, port: 1)) == .moving(newIP: true))
    var now = Self.start
    var challenges = 0
    while paths.isValidating {
      if paths.takeChallenge(now: now, interval: .milliseconds(300)) != nil { challenges += 1 }
      now = try #require(paths.nextTimeout(isBlocked: false))
      if case .returned = paths.handleTimeout(now: now) { break }
    }
    #expect(challenges == 3)
    #expect(now == Self.start + .seconds(3))
    #expect(paths.active.path == Self.path(1))
  }

  @Test func aChainOfMovesFallsBackToTheLastAddressThatAnswered() {
    var paths = PathManager(Self.path(1), isValidated: true)
    _ = Self.receive(&paths, Self.path(2), challenge: 2)
    _ = Self.receive(&paths, Self.path(3), challenge: 3)
    // The answer for an address that was left again says nothing about the one after it.
    #expect(paths.onResponse(2) == .unchanged)
    #expect(paths.onResponse(3) == .validated(from: Self.path(1).remote, to: Self.path(3).remote))
  }

  @Test func anotherPortOfTheSameHost() {
    var paths = PathManager(Self.path(1), isValidated: true)
    #expect(Self.receive(&paths, Self.path(1, port: 6000)) == .moving(newIP: false))
  }

  @Test func challengesAreAnsweredOnceEachAndNotWithoutLimit() {
    var paths = PathManager(Self.path(1), isValidated: true)
    for i in 0..<10 { paths.onChallenge(UInt64(i), from: Self.path(7)) }
    var answered: [UInt64] = []
    while let response = paths.takeResponse() {
      #expect(response.path == Self.path(7))
      answered.append(response.data)
    }
    #expect(answered == [0, 1, 2, 3])
  }
}
