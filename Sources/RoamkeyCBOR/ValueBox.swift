/// A place for a value that is still being made: containers of `Encoder` are filled after they were handed out.
final class ValueBox {
  private enum Content {
    case empty
    case value(Value)
    case list([ValueBox])
    case dictionary([(key: Value, box: ValueBox)])
  }

  private var content = Content.empty

  /// Whether nothing was written yet.
  var isEmpty: Bool { if case .empty = content { true } else { false } }

  /// What it has become; a type that wrote nothing at all is a dictionary without entries, as a structure without
  /// properties is.
  var value: Value {
    switch content {
    case .empty: .dictionary([:])
    case .value(let value): value
    case .list(let boxes): .list(boxes.map(\.value))
    case .dictionary(let entries):
      // A type that writes a key twice means the last one.
      .dictionary(Dictionary(entries.map { ($0, $1.value) }, uniquingKeysWith: { _, last in last }))
    }
  }

  func set(_ value: Value) { content = .value(value) }

  /// Makes a list of what has no content yet.
  func beginList() { if case .list = content {} else { content = .list([]) } }

  /// Makes a dictionary of what has no content yet.
  func beginDictionary() { if case .dictionary = content {} else { content = .dictionary([]) } }

  /// How many elements a list has.
  var count: Int { if case .list(let boxes) = content { boxes.count } else { 0 } }

  /// A new element at the end of a list.
  func append() -> ValueBox {
    let box = ValueBox()
    guard case .list(var boxes) = content else { return box }
    content = .empty
    boxes.append(box)
    content = .list(boxes)
    return box
  }

  /// A new entry of a dictionary.
  func append(_ key: Value) -> ValueBox {
    let box = ValueBox()
    guard case .dictionary(var entries) = content else { return box }
    content = .empty
    entries.append((key, box))
    content = .dictionary(entries)
    return box
  }
}

extension CodingKey {
  /// What stands for it in a dictionary: its number, where it has one.
  var value: Value { intValue.map { .integer(Int128($0)) } ?? .text(stringValue) }
}

/// A place in a list, in the path to where something went wrong.
struct IndexKey: CodingKey {
  let index: Int

  init(_ index: Int) { self.index = index }
  init?(intValue: Int) { index = intValue }
  init?(stringValue: String) { nil }

  var intValue: Int? { index }
  var stringValue: String { "\(index)" }
}

/// What a class writes for the class that it extends.
struct SuperKey: CodingKey {
  init() {}
  init?(intValue: Int) { nil }
  init?(stringValue: String) { if stringValue != "super" { return nil } }

  var intValue: Int? { nil }
  var stringValue: String { "super" }
}

/// Dictionaries whose keys are texts: the library's own key for their entries takes "10" for a number.
protocol TextDictionary {
  /// The entries, whatever their type.
  var textEntries: [(key: String, value: any Encodable)] { get }
}

extension Dictionary: TextDictionary where Key == String, Value: Encodable {
  var textEntries: [(key: String, value: any Encodable)] { map { ($0.key, $0.value) } }
}
