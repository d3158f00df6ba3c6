internal import RoamkeyCBOR

/// Makes the nodes of a tree, from a value or, piece by piece, from a message.
struct TreeWriter {
  let limits: StateLimits
  private(set) var nodes: [StateNode] = []
  private(set) var heap: [UInt8] = []
  /// Bytes of the keys of all entries.
  private var keyBytes = 0

  init(limits: StateLimits) { self.limits = limits }

  /// One that is complete.
  init(_ tree: StateTree) {
    limits = StateLimits()
    nodes = tree.nodes
    heap = tree.heap
  }

  /// Adds one without bytes; a container is to be ended with `end`.
  mutating func append(_ node: StateNode) throws(StateError) -> Int {
    guard nodes.count < limits.maximumValues else { throw .tooManyValues(limit: limits.maximumValues) }
    let place = nodes.count
    nodes.append(node)
    nodes[place].end = Int32(truncatingIfNeeded: place + 1)
    return place
  }

  /// Adds a text or bytes.
  mutating func append(_ kind: StateNode.Kind, _ bytes: some Collection<UInt8>, key: Int32) throws(StateError) -> Int {
    guard bytes.count <= heapRoom else { throw .tooManyBytes(limit: limits.maximumBytes) }
    let start = heap.count
    heap.append(contentsOf: bytes)
    return try append(StateNode(kind, bits: UInt64(start), count: bytes.count, key: key))
  }

  /// All children of a container are there.
  mutating func end(_ place: Int) {
    nodes[place].end = Int32(truncatingIfNeeded: nodes.count)
    if nodes[place].kind == .dictionary { nodes[place].isMap = Self.isMap(nodes, place) }
  }

  /// Entries of a dictionary that is no map, at most (STATE §4).
  static let largestRecord = 32

  /// Whether a dictionary is taken for one of things: it has more keys than structures have properties, or all that is
  /// in it has parts itself.
  static func isMap(_ nodes: [StateNode], _ place: Int) -> Bool {
    let node = nodes[place]
    if node.count > largestRecord { return true }
    guard node.count > 4 else { return false }
    var child = place + 1
    for _ in 0..<node.count {
      guard nodes[child].kind.isContainer else { return false }
      child = Int(nodes[child].end)
    }
    return true
  }

  /// How many more values there may be.
  var room: Int { limits.maximumValues - nodes.count }
  /// How many more bytes of texts there may be.
  var heapRoom: Int { limits.maximumBytes - heap.count - keyBytes }

  /// A dictionary has these keys.
  mutating func count(_ numbers: some Sequence<Int32>, _ keys: KeyTable) throws(StateError) {
    for number in numbers { keyBytes += keys[number].bytes.count }
    guard heapRoom >= 0 else { throw .tooManyBytes(limit: limits.maximumBytes) }
  }

  // MARK: Values

  mutating func add(_ value: Value, key: Int32, depth: Int, _ keys: inout KeyTable) throws(StateError) {
    switch value {
    case .list, .dictionary, .tagged:
      guard depth < StateLimits.maximumDepth else { throw .tooDeep(limit: StateLimits.maximumDepth) }
    case .null, .undefined, .bool, .integer, .number, .bytes, .text, .simple: break
    }
    switch value {
    case .null: _ = try append(StateNode(.null, key: key))
    case .undefined: _ = try append(StateNode(.undefined, key: key))
    case .bool(let value): _ = try append(StateNode(value ? .yes : .no, key: key))
    case .integer(let value): _ = try append(Self.integer(value, key: key))
    case .number(let value): _ = try append(StateNode(.real, bits: value.bitPattern, key: key))
    case .bytes(let bytes): _ = try append(.bytes, bytes, key: key)
    case .text(let text): _ = try append(.text, text.utf8, key: key)
    case .simple(let number): _ = try append(StateNode(.simple, bits: UInt64(number), key: key))
    case .tagged(let tag, let value):
      let place = try append(StateNode(.tagged, bits: tag, count: 1, key: key))
      try add(value, key: -1, depth: depth + 1, &keys)
      end(place)
    case .list(let elements):
      let place = try append(StateNode(.list, count: elements.count, key: key))
      for element in elements { try add(element, key: -1, depth: depth + 1, &keys) }
      end(place)
    case .dictionary(let entries):
      let place = try append(StateNode(.dictionary, count: entries.count, key: key))
      var numbered: [(number: Int32, value: Value)] = []
      numbered.reserveCapacity(entries.count)
      for (key, value) in entries { numbered.append((try keys.number(of: key), value)) }
      try count(numbered.lazy.map(\.number), keys)
      numbered.sort { keys.precedes($0.number, $1.number) }
      for (number, value) in numbered { try add(value, key: number, depth: depth + 1, &keys) }
      end(place)
    }
  }

  private static func integer(_ value: Int128, key: Int32) throws(StateError) -> StateNode {
    if let value = Int64(exactly: value) { return StateNode(.integer, bits: UInt64(bitPattern: value), key: key) }
    if let value = UInt64(exactly: value) { return StateNode(.largeInteger, bits: value, key: key) }
    guard value < 0, let rest = UInt64(exactly: -1 - value) else {
      throw .notEncodable("a whole number is from -2^64 to 2^64 - 1")
    }
    return StateNode(.smallInteger, bits: rest, key: key)
  }
}
