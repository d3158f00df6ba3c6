internal import RoamkeyCBOR

/// A state as its values in a row, each container before its children. It never changes: frames and players share it.
final class StateTree: Sendable {
  let nodes: [StateNode]
  /// The bytes of texts.
  let heap: [UInt8]
  /// Of everything in it (STATE §6).
  let hash: UInt64

  init(nodes: [StateNode], heap: [UInt8], keys: KeyTable) {
    self.nodes = nodes
    self.heap = heap
    hash = Self.hash(nodes, 0..<nodes.count, heap, keys)
  }

  /// What a reader compares: the uppermost bits, since what is multiplied moves only upwards.
  var check: UInt64 { hash >> 48 }

  /// What it weighs as a baseline (STATE §3): the same number on both sides.
  var weight: Int { nodes.count * StateLimits.valueWeight + heap.count }

  static func hash(_ nodes: [StateNode], _ range: Range<Int>, _ heap: [UInt8], _ keys: KeyTable) -> UInt64 {
    var hash = StateHash()
    for place in range {
      let node = nodes[place]
      // The first one's own key is no part of what it is.
      if node.key >= 0, place > range.lowerBound { hash.combine(keys[node.key].hash) }
      switch node.kind {
      case .null, .no, .yes, .undefined: hash.combine(UInt64(node.kind.rawValue))
      case .integer, .largeInteger, .smallInteger, .real, .tagged, .simple:
        hash.combine(UInt64(node.kind.rawValue))
        hash.combine(node.bits)
      case .text, .bytes:
        hash.combine(UInt64(node.kind.rawValue))
        hash.combine(heap[Int(node.bits)..<Int(node.bits) + Int(node.count)])
      case .list, .dictionary: hash.combine(UInt64(node.kind.rawValue) | UInt64(node.count) << 8)
      }
    }
    return hash.value
  }

  func bytes(of node: StateNode) -> ArraySlice<UInt8> { heap[Int(node.bits)..<Int(node.bits) + Int(node.count)] }

  /// Whether it is the same state, value by value.
  func equals(_ other: StateTree) -> Bool {
    guard hash == other.hash, nodes.count == other.nodes.count, heap == other.heap else { return false }
    return zip(nodes, other.nodes).allSatisfy { one, other in
      one.kind == other.kind && one.bits == other.bits && one.count == other.count && one.key == other.key
    }
  }
}

// MARK: From and to values

extension StateTree {
  /// - Throws: beyond the limits, and for what has no CBOR.
  convenience init(_ value: Value, keys: inout KeyTable, limits: StateLimits) throws(StateError) {
    var writer = TreeWriter(limits: limits)
    try writer.add(value, key: -1, depth: 0, &keys)
    self.init(nodes: writer.nodes, heap: writer.heap, keys: keys)
  }

  /// The value that it is.
  func value(keys: KeyTable) throws(StateError) -> Value {
    var place = 0
    return try value(at: &place, keys)
  }

  private func value(at place: inout Int, _ keys: KeyTable) throws(StateError) -> Value {
    let node = nodes[place]
    place += 1
    switch node.kind {
    case .null: return .null
    case .undefined: return .undefined
    case .no: return .bool(false)
    case .yes: return .bool(true)
    case .integer: return .integer(Int128(Int64(bitPattern: node.bits)))
    case .largeInteger: return .integer(Int128(node.bits))
    case .smallInteger: return .integer(-1 - Int128(node.bits))
    case .real: return .number(Double(bitPattern: node.bits))
    case .bytes: return .bytes(Array(bytes(of: node)))
    case .simple: return .simple(UInt8(truncatingIfNeeded: node.bits))
    case .tagged: return .tagged(node.bits, try value(at: &place, keys))
    case .text:
      guard let text = String(validating: bytes(of: node), as: UTF8.self) else { throw .malformed }
      return .text(text)
    case .list:
      var elements: [Value] = []
      elements.reserveCapacity(Int(node.count))
      for _ in 0..<node.count { elements.append(try value(at: &place, keys)) }
      return .list(elements)
    case .dictionary:
      var entries: [Value: Value] = [:]
      entries.reserveCapacity(Int(node.count))
      for _ in 0..<node.count {
        let key = keys[nodes[place].key].key
        entries[key] = try value(at: &place, keys)
      }
      return .dictionary(entries)
    }
  }
}
