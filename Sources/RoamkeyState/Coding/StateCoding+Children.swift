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

  /// What an identity costs, at most: the children of a dictionary are looked at.
  static func visits(_ nodes: [StateNode], _ place: Int) -> Int {
    nodes[place].kind == .dictionary ? 1 + Int(nodes[place].count) : 1
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
    private let source: TreeSource
    let places: [Int]
    /// Children that were looked at.
    private(set) var visits = 0
    private var next = 0
    /// Of each element, once they are asked for: to look at an element again at each miss may cost any time.
    private var known: [Identity?]?
    private var indexes: [Identity: Int]?

    init(_ coding: StateCoding, _ source: TreeSource, _ place: Int) {
      self.source = source
      places = StateCoding.children(coding.nodes(source), place)
    }

    /// The index of the element with an identity: the one behind what was found last, or the first that has it.
    mutating func find(_ identity: Identity, _ coding: StateCoding) -> Int? {
      let known = known ?? identities(coding)
      self.known = known
      if next < known.count, known[next] == identity {
        next += 1
        return next - 1
      }
      if indexes == nil {
        var all: [Identity: Int] = [:]
        for (index, identity) in known.enumerated().reversed() { if let identity { all[identity] = index } }
        indexes = all
      }
      guard let found = indexes?[identity] else { return nil }
      next = found + 1
      return found
    }

    private mutating func identities(_ coding: StateCoding) -> [Identity?] {
      let (nodes, heap) = (coding.nodes(source), coding.heap(source))
      for place in places { visits += StateCoding.visits(nodes, place) }
      return places.map { StateCoding.identity(nodes, heap, $0) }
    }
  }

  /// The references of a list's elements. It keeps places and no nodes, which may still become more.
  struct ElementReferences {
    let mode: Reference.Mode
    let source: TreeSource
    let base: [Int]
    var older: ElementFinder?
    /// Children of elements that were looked at, those of the older list aside.
    private var ownVisits = 0
    /// Children that were looked at.
    var visits: Int { ownVisits + (older?.visits ?? 0) }

    init(mode: Reference.Mode, source: TreeSource, base: [Int], older: ElementFinder?) {
      (self.mode, self.source, self.base, self.older) = (mode, source, base, older)
    }

    /// The reference to the element with an index.
    mutating func reference(_ index: Int, _ coding: StateCoding) -> Reference {
      let place = base[index]
      var found: Int?
      if older != nil { ownVisits += StateCoding.visits(coding.nodes(source), place) }
      if older == nil {
        found = nil
      } else if let identity = StateCoding.identity(coding.nodes(source), coding.heap(source), place) {
        found = older?.find(identity, coding)
      } else if let older, older.places.count == base.count {
        found = index
      }
      return Reference(
        mode: mode, isInBase: source == .base, node: place, older: found.flatMap { older?.places[$0] })
    }
  }

  /// What the elements of a list have in the reference's list; nil where that is none.
  func elements(_ reference: Reference?) -> ElementReferences? {
    guard let reference, node(reference).kind == .list else { return nil }
    var older: ElementFinder?
    if let place = reference.older, olderNode(reference)?.kind == .list {
      older = ElementFinder(self, reference.olderSource, place)
    }
    return ElementReferences(
      mode: reference.mode, source: reference.source,
      base: Self.children(nodes(reference.source), reference.node), older: older)
  }

  /// The references of a dictionary's entries, which are asked for in the order of their keys.
  struct EntryReferences {
    /// What is left of a dictionary.
    struct Rest {
      let source: TreeSource
      var node: Int
      var left: Int32

      mutating func find(_ key: Int32, _ keys: KeyTable, _ nodes: [StateNode]) -> Int? {
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

    let mode: Reference.Mode
    var entries: Rest
    var older: Rest?

    var source: TreeSource { entries.source }
    var node: Int { entries.node }
    var left: Int32 { entries.left }

    /// The entry under a key, none of those before it being asked for any more; nil where there is none.
    mutating func find(_ key: Int32, _ keys: KeyTable, _ coding: StateCoding) -> Reference? {
      guard let place = entries.find(key, keys, coding.nodes(entries.source)) else { return nil }
      var older: Int?
      if let source = self.older?.source { older = self.older?.find(key, keys, coding.nodes(source)) }
      return Reference(mode: mode, isInBase: entries.source == .base, node: place, older: older)
    }
  }

  /// What the entries of a dictionary have in the reference's dictionary; nil where that is none.
  func entries(_ reference: Reference?) -> EntryReferences? {
    guard let reference else { return nil }
    let node = node(reference)
    guard node.kind == .dictionary else { return nil }
    var older: EntryReferences.Rest?
    if let place = reference.older, let node = olderNode(reference), node.kind == .dictionary {
      older = .init(source: reference.olderSource, node: place + 1, left: node.count)
    }
    return EntryReferences(
      mode: reference.mode, entries: .init(source: reference.source, node: reference.node + 1, left: node.count),
      older: older)
  }
}
