import RoamkeyCBOR
import RoamkeySimulator
import Testing

@testable import RoamkeyState

/// What a few bytes may make a reader do, in steps rather than in time (STATE §8).
@Suite struct WorkTests {
  private typealias Reader = StateCoding<RangeDecoder>
  private typealias Writer = StateCoding<RangeEncoder>

  private var keys = KeyTable()

  private mutating func tree(_ value: Value) throws -> StateTree {
    try StateTree(value, keys: &keys, limits: StateLimits())
  }

  /// What reading costs, and why it failed.
  private func cost(
    _ payload: [UInt8], _ base: StateTree, _ older: StateTree? = nil, limits: StateLimits = .init()
  ) -> (StateWork, StateError?) {
    var (work, keys) = (StateWork(), keys)
    do throws(StateError) {
      _ = try Reader.decode(payload[...], .init(base: base, older: older), keys: &keys, limits: limits, work: &work)
      return (work, nil)
    } catch {
      return (work, error)
    }
  }

  /// A dictionary with an id and that many other keys.
  private func wide(_ id: Int, _ count: Int) -> Value {
    var entries: [Value: Value] = ["id": .integer(Int128(id))]
    for key in 0..<count { entries[.integer(Int128(key))] = .null }
    return .dictionary(entries)
  }

  /// A list of `count` nulls, each of which goes on from the element that `source` names.
  private func nulls(_ count: Int, of baseCount: Int, _ source: (Int) -> Int) -> [UInt8] {
    var coding = Writer(RangeEncoder(), .init(), TreeWriter(limits: StateLimits()))
    _ = coding.bit(false, 0, Slot.predicted)
    _ = coding.bit(true, 0, Slot.sameKind)
    _ = coding.signed(Int64(count - baseCount), 0, Slot.count)
    if count == baseCount { _ = coding.bit(false, 0, Slot.inPlace) }
    var next = 0
    for index in 0..<count {
      let source = source(index)
      if next >= baseCount || !coding.bit(source == next, 0, Slot.goesOn) {
        _ = coding.bit(false, 0, Slot.isNew)
        _ = coding.signed(Int64(source - next), 0, Slot.distance)
      }
      next = source + 1
      let column = coding.table.child(.any, of: 0)
      _ = coding.bit(false, column, Slot.predicted + (index == 0 ? 0 : 2))
      _ = coding.bit(false, column, Slot.sameKind)
      _ = coding.tree(Int(StateNode.Kind.null.rawValue), bits: 4, at: coding.table.columns[column].models + Slot.kind)
    }
    let nulls = Value.list(Array(repeating: .null, count: count))
    var keys = keys
    let check = (try? StateTree(nulls, keys: &keys, limits: StateLimits()).check) ?? 0
    _ = coding.coder.code(check, bits: 16)
    return coding.coder.finish()
  }

  @Test mutating func anElementIsGoneOnFromOnce() throws {
    let base = try tree(.list([wide(0, 5000)] + (1..<6).map { wide($0, 1) }))
    let honest = nulls(6, of: 6) { 5 - $0 }
    let (work, error) = cost(honest, base, base)
    #expect(error == nil && work.visits < 25_000, "\(work)")
    let hostile = nulls(20_000, of: 6) { _ in 0 }
    #expect(hostile.count < 3000)
    let (hostileWork, refusal) = cost(hostile, base, base)
    #expect(refusal == .malformed && hostileWork.visits < 25_000, "\(hostileWork)")
  }

  @Test mutating func aPublisherGivesEachElementAwayOnce() throws {
    // Two of three have the same id.
    let base: Value = [["id": 1, "x": 1], ["id": 2, "x": 2], ["id": 1, "x": 3]]
    let next: Value = [["id": 1, "x": 3], ["id": 1, "x": 1], ["id": 2, "x": 2], ["id": 1, "x": 9]]
    var bench = Bench()
    let read = try bench.carry(next, from: base).0
    #expect(read == next)
  }

  @Test mutating func elementsAreLookedAtOnceToFindThoseOfBefore() throws {
    let older = try tree(.list([wide(-1, 20_000)] + (0..<2000).map { ["id": .integer($0 * 7)] }))
    let base = try tree(.list((1...2000).map { ["id": .integer($0 * 7 + 1), "x": 1] }))
    // All as before, and all but that.
    let same = Writer.encode(base, .init(base: base, older: older), keys: keys)
    let other = try tree(.list((1...2000).map { ["id": .integer($0 * 7 + 1), "x": .integer($0)] }))
    let changed = Writer.encode(other, .init(base: base, older: older), keys: keys)
    for payload in [same, changed] {
      let (work, error) = cost(payload, base, older)
      // 2,000 times the 20,000 of the first one it was.
      #expect(error == nil && work.visits < 60_000, "\(work)")
    }
  }

  @Test mutating func aReaderStopsWhereItsWorkIsTooMuch() throws {
    let base = try tree(.list(Array(repeating: .null, count: 50_000)))
    let few = nulls(6, of: 50_000) { $0 }
    #expect(cost(few, base).1 == nil)
    let narrow = StateLimits(maximumValues: 100, maximumBytes: 1000)
    #expect(cost(few, base, limits: narrow).1 == .tooMuchWork)
    // Texts that are equal but for their ends, of a base that is larger than its reader allows.
    let long = String(repeating: "a", count: 20_000)
    let texts = try tree(.list((0..<9).map { .text(long + String($0)) }))
    let short = try tree(.list((0..<9).map { .text("b" + String($0)) }))
    let payload = Writer.encode(short, .init(base: texts), keys: keys)
    let (work, error) = cost(payload, texts)
    #expect(error == nil && work.comparedBytes > 100_000 && work.comparedBytes < 9 * 8 * 20_100, "\(work)")
    let (less, refusal) = cost(payload, texts, limits: narrow)
    #expect(refusal == .tooMuchWork && less.comparedBytes < 80_000, "\(less)")
  }

  @Test mutating func aTextIsNotComparedWithItself() throws {
    let text = Value.text(String(repeating: "a", count: 200_000))
    let base = try tree([text, text])
    let payload = Writer.encode(base, .init(base: base), keys: keys)
    let (work, error) = cost(payload, base)
    #expect(error == nil && work.comparedBytes <= 4 * 200_000, "\(work)")
  }

  @Test func aRecordOfManyIsRefusedBeforeItIsRead() {
    var coding = Writer(RangeEncoder(), .init(), TreeWriter(limits: StateLimits()))
    _ = coding.tree(Int(StateNode.Kind.dictionary.rawValue), bits: 4, at: coding.table.columns[0].models + Slot.kind)
    _ = coding.bit(false, 0, Slot.isMap)
    _ = coding.number(60_000, 0, Slot.count)
    for _ in 0..<400 { _ = coding.coder.code(1, bits: 8) }
    var keys = KeyTable()
    #expect(throws: StateError.malformed) {
      _ = try Reader.decode(coding.coder.finish()[...], .init(), keys: &keys, limits: StateLimits())
    }
    #expect(keys.entries.count == 1)
  }

  @Test mutating func keysAreCountedWhereverTheyStand() throws {
    // Forty dictionaries of forty keys each, of which a reader that allows 500 values takes 500 at most.
    let state = Value.list(
      (0..<40).map { row in
        .dictionary(Dictionary(uniqueKeysWithValues: (0..<40).map { (.integer(Int128(row * 40 + $0)), .null) }))
      })
    let payload = Writer.encode(try tree(state), .init(), keys: keys)
    var others = KeyTable()
    #expect(throws: StateError.tooManyValues(limit: 500)) {
      _ = try Reader.decode(payload[...], .init(), keys: &others, limits: StateLimits(maximumValues: 500))
    }
    #expect(others.entries.count <= 501)
  }

  /// Texts that Unicode takes for equal are many keys, and must not all fall into one place of a table.
  @Test func textsThatLookAlikeHaveHashesOfTheirOwn() throws {
    let texts = (0..<20_000).map { number in
      String((0..<15).map { number >> $0 & 1 == 1 ? "\u{e9}" : "e\u{301}" }.joined())
    }
    #expect(texts[0] == texts[19_999])
    #expect(Set(texts.map { KeyTable.ExactText(text: $0).hashValue }).count == 20_000)
    var keys = KeyTable()
    let numbers = try texts.map { try keys.number(of: .text($0)) }
    #expect(Set(numbers).count == 20_000)
    let again = try texts.map { try keys.number(of: .text($0)) }
    #expect(again == numbers)
  }

  @Test mutating func containersEndAtSixteenOnBothSides() throws {
    let deepest = (0..<15).reduce(Value.list([])) { inner, _ in .list([inner]) }
    var bench = Bench()
    let read = try bench.carry(deepest).0
    #expect(read == deepest)
    #expect(throws: StateError.tooDeep(limit: 16)) { _ = try StateTree([deepest], keys: &keys, limits: StateLimits()) }
    var coding = Writer(RangeEncoder(), .init(), TreeWriter(limits: StateLimits()))
    var column = 0
    for _ in 0..<17 {
      let models = coding.table.columns[column].models
      _ = coding.tree(Int(StateNode.Kind.list.rawValue), bits: 4, at: models + Slot.kind)
      _ = coding.signed(1, column, Slot.count)
      column = coding.table.child(.place(0), of: column)
    }
    _ = coding.coder.code(0, bits: 64)
    #expect(throws: StateError.tooDeep(limit: 16)) {
      _ = try Reader.decode(coding.coder.finish()[...], .init(), keys: &keys, limits: StateLimits())
    }
  }

  /// STATE §5.4: a continuation is finite, also in the class that it is brought to.
  @Test mutating func aFloatThatGoesBeyondItsEndHasNoContinuation() throws {
    let base = try tree(.number(Double(Float(3.0e38))))
    let near = try tree(.number(Double(Float(2.9e38))))
    let far = try tree(.number(Double(Float(1.0e38))))
    let reference = Reference(mode: .base, isInBase: true, node: 0, older: 0)
    for (older, isThere) in [(near, true), (far, false)] {
      let coding = Reader(
        RangeDecoder([]), .init(base: base, older: older), TreeWriter(limits: StateLimits()))
      #expect((coding.continuation(reference, nil) != nil) == isThere)
    }
  }
}
