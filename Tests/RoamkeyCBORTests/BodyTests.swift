import Foundation
import RoamkeyCBOR
import Testing

@Suite struct BodyTests {
  struct Point: Codable, Hashable {
    var x: Double
    var y: Float
  }

  enum Shape: Codable, Hashable {
    case circle(Point, radius: Int8)
    case nothing
  }

  struct Hero: Codable, Hashable {
    var name: String
    var place: Point
    var shapes: [Shape]
    var hp: UInt64
    var luck: Int?
    var pet: String?
    var scores: [String: Int]
    var slots: [Int: String]
    var colors: [Shape: Bool]
    var key: [UInt8]
    var anything: Value
    var grid: [[Int16?]]
  }

  private let hero = Hero(
    name: "Ada", place: Point(x: 0.1, y: 0.1), shapes: [.circle(Point(x: 1, y: 2), radius: -3), .nothing], hp: .max,
    luck: nil, pet: "cat", scores: ["10": 1, "x": -1], slots: [-1: "left", 1: "right"], colors: [.nothing: true],
    key: [0, 255], anything: ["free": [1, "two", .tagged(9, .null)]], grid: [[1, nil], []])

  @Test func itComesBack() throws {
    #expect(try CBOR.decode(Hero.self, from: CBOR.encode(hero)) == hero)
  }

  @Test func itLooksAsOthersWouldWriteIt() throws {
    #expect(
      try Value(encoding: hero) == [
        "name": "Ada", "place": ["x": 0.1, "y": .number(Double(Float(0.1)))],
        "shapes": [["circle": ["_0": ["x": 1.0, "y": 2.0], "radius": -3]], ["nothing": [:]]],
        "hp": 18_446_744_073_709_551_615, "pet": "cat", "scores": ["10": 1, "x": -1],
        "slots": [-1: "left", 1: "right"],
        "colors": [["nothing": [:]], true], "key": .bytes([0, 255]),
        "anything": ["free": [1, "two", .tagged(9, .null)]],
        "grid": [[1, .null], []],
      ])
  }

  @Test func equalThingsAreEqualBytes() throws {
    var scores = hero
    scores.scores = ["x": -1, "10": 1]
    #expect(try CBOR.encode(scores) == CBOR.encode(hero))
  }

  @Test(arguments: [Int.min, -1, 0, 1, .max])
  func simpleValuesStandAlone(_ number: Int) throws {
    #expect(try CBOR.decode(Int.self, from: CBOR.encode(number)) == number)
    #expect(try CBOR.decode(Int?.self, from: CBOR.encode(number)) == number)
    #expect(try CBOR.encode(Int?.none) == [0xf6])
    #expect(try CBOR.decode(Int?.self, from: [0xf6]) == nil)
    #expect(try CBOR.decode(Bool.self, from: CBOR.encode(true)) == true)
    #expect(try CBOR.decode(String.self, from: CBOR.encode("ü")) == "ü")
    #expect(try CBOR.decode([UInt8].self, from: CBOR.encode([UInt8]([1, 2]))) == [1, 2])
    #expect(try CBOR.decode([UInt16].self, from: CBOR.encode([UInt8]([1, 2]))) == [1, 2])
    #expect(try CBOR.decode([UInt8].self, from: CBOR.encode([1, 2])) == [1, 2])
    #expect(try CBOR.decode(Value.self, from: CBOR.encode(Value.tagged(1, [2]))) == .tagged(1, [2]))
  }

  @Test func numbersOfOtherLanguagesFit() throws {
    #expect(try Value.number(3).decode(Int.self) == 3)
    #expect(try Value.integer(3).decode(Double.self) == 3)
    #expect(throws: DecodingError.self) { try Value.number(3.5).decode(Int.self) }
    #expect(throws: DecodingError.self) { try Value.integer(256).decode(UInt8.self) }
    #expect(throws: DecodingError.self) { try Value.integer(-1).decode(UInt.self) }
    #expect(throws: DecodingError.self) { try Value.number(1e300).decode(Int64.self) }
    #expect(throws: DecodingError.self) { try Value.number(.nan).decode(Int64.self) }
  }

  @Test func whatIsMissingOrWrongIsToldWithItsPlace() throws {
    var value = try Value(encoding: hero)
    value["place"] = ["x": "far", "y": 1]
    #expect {
      try value.decode(Hero.self)
    } throws: { error in
      guard case DecodingError.typeMismatch(_, let context) = error else { return false }
      return context.codingPath.map(\.stringValue) == ["place", "x"] && context.debugDescription.hasPrefix("a text")
    }
    value["place"] = ["x": 1]
    #expect {
      try value.decode(Hero.self)
    } throws: { error in
      guard case DecodingError.keyNotFound(let key, let context) = error else { return false }
      return key.stringValue == "y" && context.codingPath.map(\.stringValue) == ["place"]
    }
    value = ["grid": [[1, "x"]]]
    #expect(throws: DecodingError.self) { try value.decode([String: [[Int?]]].self) }
    #expect(throws: DecodingError.self) { try Value.list([1]).decode(Pair.self) }
  }

  /// Reads more than may be there.
  struct Pair: Codable, Equatable {
    var first: Int
    var second: Int

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      first = try list.decode(Int.self)
      second = try list.decode(Int.self)
    }
  }

  class Animal: Codable {
    var legs = 4
  }

  final class Bird: Animal {
    var wings: Int

    private enum CodingKeys: CodingKey { case wings }

    init(wings: Int) {
      self.wings = wings
      super.init()
      legs = 2
    }

    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      wings = try container.decode(Int.self, forKey: .wings)
      try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(wings, forKey: .wings)
      try super.encode(to: container.superEncoder())
    }
  }

  @Test func classesKeepWhatTheyExtend() throws {
    let value = try Value(encoding: Bird(wings: 2))
    #expect(value == ["wings": 2, "super": ["legs": 2]])
    let bird = try value.decode(Bird.self)
    #expect(bird.wings == 2 && bird.legs == 2)
  }

  /// Numbers instead of names: shorter on the wire.
  struct Compact: Codable, Equatable {
    var x: Int
    var y: Int

    enum CodingKeys: Int, CodingKey {
      case x = 1
      case y = 2
    }
  }

  @Test func keysMayBeNumbers() throws {
    #expect(try hex(CBOR.encode(Compact(x: 3, y: 4))) == "a201030204")
    #expect(try CBOR.decode(Compact.self, from: bytes("a201030204")) == Compact(x: 3, y: 4))
  }

  final class Endless: Encodable {
    func encode(to encoder: any Encoder) throws {
      var list = encoder.unkeyedContainer()
      try list.encode(self)
    }
  }

  @Test func whatContainsItselfIsRefused() {
    #expect(throws: CBORError.tooDeep(limit: 16)) { try CBOR.encode(Endless()) }
  }

  @Test func entriesWithBothKindsOfKeyAreReadWithoutATrap() throws {
    let value: Value = [10: 1, "10": 2, .bytes([1]): 3]
    #expect(try value.decode([String: Int].self) == ["10": 1])
    #expect(try value.decode([Int: Int].self) == [10: 1])
  }

  @Test func valuesAreAPartOfOtherFormats() throws {
    let value: Value = ["a": [1, 2.5, "x", .null, true, 18_446_744_073_709_551_615], "b": ["c": []]]
    let json = try JSONEncoder().encode(value)
    #expect(try JSONDecoder().decode(Value.self, from: json) == value)
  }
}
