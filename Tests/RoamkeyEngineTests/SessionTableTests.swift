import RoamkeySimulator
import Testing

@testable import RoamkeyEngine

@Suite struct SessionTableTests {
  @Test("Agrees with a dictionary, whatever comes and goes", arguments: ReliabilityRandom.seeds)
  func model(seed: UInt64) throws {
    let crowd = Crowd(2)
    let sessions = try crowd.sessions.map { try #require(crowd.server.sessions[$0]) }
    var random = SeededRandom(seed: seed)
    var table = SessionTable<UInt64>()
    var model: [UInt64: Session] = [:]
    // Few numbers, some of them neighbours: they come again, and stand close to each other.
    let keys = (0..<200).map { $0 < 100 ? $0 : UInt64.random(in: 0...(.max), using: &random) }
    for step in 0..<5000 {
      let key = keys[Int.random(in: 0..<keys.count, using: &random)]
      // It fills, and empties again.
      let isAdded = Int.random(in: 0..<10, using: &random) < (step / 1000 % 2 == 0 ? 7 : 3)
      let session = isAdded ? sessions[step % 2] : nil
      table[key] = session
      model[key] = session
      #expect(table.count == model.count && table.isEmpty == model.isEmpty, "seed \(seed), step \(step)")
    }
    for key in keys {
      #expect(table[key] === model[key], "seed \(seed), key \(key)")
      let address = model[key].map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) }
      #expect(table.address(of: key) == address)
    }
    #expect(Set(table.keys) == Set(model.keys) && table.values.count == model.count)
  }

  @Test func itHoldsWhatItHas() throws {
    let crowd = Crowd(1)
    var table = SessionTable<UInt64>()
    weak var session: Session?
    do {
      let found = try #require(crowd.server.sessions[crowd.sessions[0]])
      session = found
      table[1] = found
    }
    crowd.server.close(crowd.sessions[0], code: .shutdown, reason: "", now: crowd.now)
    crowd.run(for: .seconds(60))
    #expect(crowd.server.sessions.isEmpty && session != nil)
    table[1] = nil
    #expect(session == nil)
  }
}
