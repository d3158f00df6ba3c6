/// How the children of containers belong to those of others (STATE §5.7, §5.8).
extension StateCoding {
  /// What tells an element of a list from others: what stands under `id` in it.
  struct Identity: Hashable {
    let kind: StateNode.Kind
    let bits: UInt64
  }

  static func identity(_ nodes: [StateNode], _ heap: [UInt8], _ place: Int) -> Identity? {
    let node = nodes[place]
    guard node.kind == .dictionary else { return nil }
    var child = place + 1
    for _ in 0..<node.count {
      let candidate = nodes[child]
      if candidate.key == KeyTable.identity {
        guard !candidate.kind.isContainer else { return nil }
        guard candidate.kind.hasBytes else { return Identity(kind: candidate.kind, bits: candidate.bits) }
        var hash = StateHash()
        hash.combine(heap[Int(candidate.bits)..<Int(candidate.bits) + Int(candidate.count)])
        return Identity(kind: candidate.kind, bits: hash.value)
      }
      child = Int(candidate.end)
    }
    return nil
  }

  /// The places of a container's children.
  static func children(_ nodes: [StateNode], _ place: Int) -> [Int] {
    var places: [Int] = []
    places.reserveCapacity(Int(nodes[place].count))
    var child = place + 1
    for _ in 0..<nodes[place].count {
      places.append(child)
      child = Int(nodes[child].end)
    }
    return places
  }

  /// The column of the child at `index` of a list with `count`: each has its own in a short one, such as a point.
  static func key(_ index: Int, count: Int) -> ColumnKey {
    count <= 4 ? .place(Int32(truncatingIfNeeded: index)) : .any
  }

  /// The column of the child of a dictionary.
  static func key(_ key: Int32, isMap: Bool) -> ColumnKey { isMap ? .any : .key(key) }

  /// Finds elements of the older list that are those of another list.
  struct ElementFinder {
    private let nodes: [StateNode]
    private let heap: [UInt8]
    let places: [Int]
    private var next = 0
    private var identities: [Identity: Int]?

    init(_ nodes: [StateNode], _ heap: [UInt8], _ place: Int) {
      self.nodes = nodes
      self.heap = heap
      places = StateCoding.children(nodes, place)
    }

    /// The index of the element with an identity: the one behind what was found last, or the first that has it.
    mutating func find(_ identity: Identity) -> Int? {
      if next < places.count, StateCoding.identity(nodes, heap, places[next]) == identity {
        next += 1
        return next - 1
      }
      if identities == nil {
        var all: [Identity: Int] = [:]
        for (index, place) in places.enumerated() {
          guard let identity = StateCoding.identity(nodes, heap, place), all[identity] == nil else { continue }
          all[identity] = index
        }
        identities = all
      }
      guard let found = identities?[identity] else { return nil }
      next = found + 1
      return found
    }
  }

  /// The references of a list's elements.
  struct ElementReferences {
    let mode: Reference.Mode
    let isInBase: Bool
    let base: [Int]
    var older: ElementFinder?
    let nodes: [StateNode]
    let heap: [UInt8]
  }

  /// What the elements of a list have in the reference's list; nil where that is none.
  func elements(_ reference: Reference?) -> ElementReferences? {
    guard let reference, node(reference).kind == .list else { return nil }
    let nodes = nodes(reference)
    var older: ElementFinder?
    if let place = reference.older {
      let olderNodes = olderNodes(reference)
      if olderNodes[place].kind == .list {
        let heap = reference.mode == .base ? baselines.older?.heap : nil
        older = ElementFinder(olderNodes, heap ?? self.heap(isInBase: reference.isInBase), place)
      }
    }
    return ElementReferences(
      mode: reference.mode, isInBase: reference.isInBase, base: Self.children(nodes, reference.node), older: older,
      nodes: nodes, heap: heap(isInBase: reference.isInBase))
  }
}

extension StateCoding.ElementReferences {
  /// The reference to the element with an index.
  mutating func reference(_ index: Int) -> Reference {
    let place = base[index]
    var found: Int?
    if let identity = StateCoding<Coder>.identity(nodes, heap, place) {
      found = older?.find(identity)
    } else if let older, older.places.count == base.count {
      found = index
    }
    return Reference(mode: mode, isInBase: isInBase, node: place, older: found.flatMap { older?.places[$0] })
  }
}

extension StateCoding {
  /// The references of a dictionary's entries, which are asked for in the order of their keys.
  struct EntryReferences {
    let mode: Reference.Mode
    let isInBase: Bool
    let nodes: [StateNode]
    /// The next entry, and how many are left.
    var node: Int
    var left: Int32
    var olderNodes: [StateNode]
    var older: Int
    var olderLeft: Int32 = 0
  }

  /// What the entries of a dictionary have in the reference's dictionary; nil where that is none.
  func entries(_ reference: Reference?) -> EntryReferences? {
    guard let reference else { return nil }
    let node = node(reference)
    guard node.kind == .dictionary else { return nil }
    var entries = EntryReferences(
      mode: reference.mode, isInBase: reference.isInBase, nodes: nodes(reference), node: reference.node + 1,
      left: node.count, olderNodes: [], older: 0)
    if let older = reference.older {
      let nodes = olderNodes(reference)
      if nodes[older].kind == .dictionary {
        entries.olderNodes = nodes
        entries.older = older + 1
        entries.olderLeft = nodes[older].count
      }
    }
    return entries
  }
}

extension StateCoding.EntryReferences {
  /// The entry under a key, none of those before it being asked for any more; nil where there is none.
  mutating func find(_ key: Int32, _ keys: KeyTable) -> Reference? {
    guard let place = Self.find(key, nodes, &node, &left, keys) else { return nil }
    let older = Self.find(key, olderNodes, &older, &olderLeft, keys)
    return Reference(mode: mode, isInBase: isInBase, node: place, older: older)
  }

  private static func find(
    _ key: Int32, _ nodes: [StateNode], _ node: inout Int, _ left: inout Int32, _ keys: KeyTable
  ) -> Int? {
    while left > 0 {
      let candidate = nodes[node].key
      if candidate != key, !keys.precedes(candidate, key) { return nil }
      let place = node
      node = Int(nodes[node].end)
      left -= 1
      if candidate == key { return place }
    }
    return nil
  }
}
