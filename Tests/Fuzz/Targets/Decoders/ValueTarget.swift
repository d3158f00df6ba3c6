import RoamkeyCBOR

extension FuzzTargets {
  /// CBOR from anybody, as a value and as types of an app's own.
  static let values = FuzzTarget(
    "values", longestInput: 600,
    milestones: ["value", "nested", "dictionary", "tagged", "record", "shape", "indefinite", "deterministic"]
  ) { input, reached in
    let bytes = input.rest()
    guard let value = try? Value(cbor: bytes) else { return }
    reached.reach(0)
    note(value, bytes, &reached)
    guard let once = try? value.cbor() else { preconditionFailure("what was read cannot be written") }
    if once == bytes, once.count > 3 { reached.reach(7) }
    // A list of many elements is shorter where its length is left open.
    precondition(once.count <= bytes.count + bytes.count / 128, "the shortest encoding is longer than another")
    guard let again = try? Value(cbor: once) else { preconditionFailure("what was written cannot be read") }
    precondition(again == value && again.hashValue == value.hashValue, "what was written is something else")
    precondition((try? again.cbor()) == once, "the second encoding differs from the first")
    precondition(!"\(value)".isEmpty, "every value has a description")
    if let record = try? value.decode(FuzzRecord.self) {
      reached.reach(4)
      checkCoding(record)
    }
    if let shape = try? value.decode(FuzzShape.self) {
      reached.reach(5)
      checkCoding(shape)
    }
    if let list = try? value.decode([FuzzRecord].self) { checkCoding(list) }
    if let numbers = try? value.decode([String: [Int16]].self) { checkCoding(numbers) }
    guard let copy = try? value.decode(Value.self) else { preconditionFailure("a value is a value") }
    precondition(copy == value, "a value decoded as a value is another")
  }

  private static func note(_ value: Value, _ bytes: [UInt8], _ reached: inout Milestones) {
    if bytes.first.map({ $0 & 0x1f == 0x1f }) == true { reached.reach(6) }
    switch value {
    case .list(let list):
      if list.contains(where: { $0.list != nil }) { reached.reach(1) }
    case .dictionary(let entries): if entries.count > 1 { reached.reach(2) }
    case .tagged: reached.reach(3)
    case .null, .undefined, .bool, .integer, .number, .bytes, .text, .simple: break
    }
  }

  /// A record goes through bytes and comes out the same.
  private static func checkCoding<Record: Codable & Equatable>(_ record: Record) {
    guard let bytes = try? CBOR.encode(record) else { preconditionFailure("a record cannot be written: \(record)") }
    guard let again = try? CBOR.decode(Record.self, from: bytes) else {
      preconditionFailure("a record cannot be read: \(record)")
    }
    precondition(again == record, "a record comes back as another: \(record), \(again)")
  }
}

/// What a game might send: each kind of thing once.
struct FuzzRecord: Codable, Equatable {
  var name: String
  var health: Int?
  var bag: [String]?
  var small: UInt8?
  var large: UInt64?
  var bits: [UInt8]?
  var isAlive: Bool?
  var more: Value?
  var scores: [String: Int32]?
}

/// One of several, as Swift writes them.
enum FuzzShape: Codable, Equatable {
  case point
  case circle(radius: Int)
  indirect case group([FuzzShape])
}
