import RoamkeyCBOR
import Testing

@Suite struct ValueTests {
  @Test func whatItIsIsAskedByName() {
    let hero: Value = [
      "name": "Ada", "hp": 10, "speed": 1.5, "alive": true, "bag": ["rope", "lamp"], "pet": .null, 7: "x",
    ]
    #expect(hero["name"]?.text == "Ada")
    #expect(hero["hp"]?.int == 10 && hero["hp"]?.double == 10)
    #expect(hero["speed"]?.double == 1.5 && hero["speed"]?.int == nil)
    #expect(hero["alive"]?.bool == true)
    #expect(hero["bag"]?[1]?.text == "lamp" && hero["bag"]?[2] == nil && hero["bag"]?[-1] == nil)
    #expect(hero["pet"]?.isNull == true && hero["dog"] == nil)
    #expect(hero[7]?.text == "x")
    #expect(hero["name"]?["x"] == nil && hero["name"]?[0] == nil)
    #expect(Value.bytes([1]).bytes == [1] && Value.bytes([1]).text == nil)
    #expect(Value.number(3).int == 3 && Value.number(1e30).int == nil && Value.integer(1 << 64).int == nil)
    #expect(hero.dictionary?.count == 7 && hero.list == nil && hero["bag"]?.list?.count == 2)
  }

  @Test func entriesAreSetAndRemoved() {
    var world = Value.null
    world["tick"] = 1
    world["players", default: []] = ["ada"]
    world["tick"] = Value((world["tick"]?.int ?? 0) + 1)
    #expect(world == ["tick": 2, "players": ["ada"]])
    world["players"] = nil
    #expect(world == ["tick": 2])
  }

  @Test func valuesAreEqualWhenTheirBytesAre() throws {
    let unequal: [Value] = [
      .null, .undefined, false, true, 0, 1, -1, 0.0, -0.0, 1.0, .number(.nan), .bytes([]), "", .bytes([97]), "a", [],
      [:],
      [0], [0: 0], .tagged(0, 0), .tagged(1, 0), .simple(0), "\u{e9}", "e\u{301}",
    ]
    for (one, a) in unequal.enumerated() {
      for (other, b) in unequal.enumerated() { #expect((a == b) == (one == other), "\(a), \(b)") }
    }
    #expect(Set(unequal).count == unequal.count)
    #expect(Value.number(.nan) == .number(-.nan))
    #expect(Value.number(.signalingNaN).hashValue == Value.number(.nan).hashValue)
  }

  @Test func ofAKeyThatStandsThereTwiceTheLastOneCounts() {
    let value: Value = ["a": 1, "a": 2]
    #expect(value == ["a": 2])
  }

  @Test func peopleCanReadIt() throws {
    let value: Value = [
      "text": "say \"hi\"\\\n\u{1b}", "bytes": .bytes([0, 255]), "list": [1, 2.5, .null, .undefined, false],
      "tag": .tagged(2, .simple(16)), "number": .number(.infinity), "none": .number(.nan), 1: .number(-.infinity),
    ]
    #expect(
      value.description
        == #"""
        {"bytes": h'00ff', "list": [1, 2.5, null, undefined, false], "none": NaN, "number": Infinity, "#
        "tag": 2(simple(16)), "text": "say \"hi\"\\\n\u{1b}", 1: -Infinity}
        """#.replacing("#\n\"", with: ""))
  }
}

extension Value {
  fileprivate subscript(key: String, default value: Value) -> Value {
    get { self[key] ?? value }
    set { self[key] = newValue }
  }
}
