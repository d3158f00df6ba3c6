import Testing

@testable import RoamkeyEngine

/// PROTOCOL §2: which key a packet wants, and when keys move on.
struct KeyPhaseTests {
  @Test func theBitNamesThePhaseAndTheNumberTheDirection() {
    var state = KeyPhaseState()
    #expect(state.phase(bit: false, number: 0) == .current)
    #expect(state.phase(bit: true, number: 0) == .next)
    #expect(state.commit(.current, number: 5) == .none)
    #expect(state.commit(.next, number: 9) == .advanced)
    #expect(state.number == 1)
    // Late packets of the phase before, until it is forgotten.
    #expect(state.phase(bit: false, number: 7) == .previous)
    #expect(state.commit(.previous, number: 7) == .none)
    // The lowest of the new phase may still come.
    #expect(state.phase(bit: true, number: 8) == .current)
    #expect(state.commit(.current, number: 8) == .none)
    #expect(state.phase(bit: false, number: 8) == .next)
    #expect(state.phase(bit: false, number: 10) == .next)
    state.forgetPrevious()
    #expect(state.phase(bit: false, number: 7) == nil)
  }

  @Test func aNewerKeyAtALowerNumberIsMisuse() {
    var state = KeyPhaseState()
    #expect(state.commit(.current, number: 10) == .none)
    #expect(state.commit(.current, number: 20) == .none)
    #expect(state.commit(.next, number: 15) == .ranBackwards)
    #expect(state.number == 0)
    #expect(state.commit(.next, number: 21) == .advanced)
    // A late packet of the new key, below what the old key has sealed.
    #expect(state.commit(.current, number: 19) == .ranBackwards)
    #expect(state.commit(.current, number: 22) == .none)
  }

  @Test func aSenderMovesOnOnlyOnceItsPhaseWasAcknowledged() {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdatePacketCount = 3
    let start = Instant(nanoseconds: 0)
    var phase = SendPhase(startedAt: start)
    for number in 0..<5 { phase.onSent(UInt64(number)) }
    #expect(!phase.isDue(now: start, configuration: configuration))
    phase.onAcknowledged(2)
    #expect(phase.isDue(now: start, configuration: configuration))
    phase.advance(now: start)
    #expect(phase.bit)
    for number in 5..<9 { phase.onSent(UInt64(number)) }
    // A late acknowledgement of the old phase says nothing of the new one.
    phase.onAcknowledged(4)
    #expect(!phase.isDue(now: start, configuration: configuration))
    phase.onAcknowledged(5)
    #expect(phase.isDue(now: start, configuration: configuration))

    var quiet = SendPhase(startedAt: start)
    quiet.onSent(0)
    quiet.onAcknowledged(0)
    #expect(!quiet.isDue(now: start + .seconds(899), configuration: configuration))
    #expect(quiet.isDue(now: start + .seconds(900), configuration: configuration))
  }

  @Test("a session renews its keys again and again and loses nothing")
  func session() throws {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdatePacketCount = 5
    let pair = Pair(configuration: configuration)
    pair.connect()
    for i in 0..<200 {
      try pair.send("\(i)")
      pair.run(for: .milliseconds(40))
    }
    #expect(pair.heard == (0..<200).map(String.init))
    let session = try #require(pair.server.sessions.values.first)
    #expect(session.phases.number >= 20)
    #expect(pair.server.statistics.dropped == 0)
  }
}
