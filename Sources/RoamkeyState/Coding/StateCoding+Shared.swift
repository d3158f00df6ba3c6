/// What writer and reader do alike.
extension StateCoding {
  /// Codes what is inside of a container: what was before is another matter there.
  mutating func inside<Failure: Error>(_ body: (inout Self) throws(Failure) -> Void) throws(Failure) {
    before = 0
    try body(&self)
    before = 2
  }

  /// What is in a tagged value.
  func tagged(_ reference: Reference) -> Reference {
    let older = olderNode(reference)?.kind == .tagged ? reference.older.map { $0 + 1 } : nil
    return Reference(mode: reference.mode, isInBase: reference.isInBase, node: reference.node + 1, older: older)
  }

  /// The keys of a dictionary.
  func keysOf(_ entries: EntryReferences) -> [Int32] {
    var keys: [Int32] = []
    keys.reserveCapacity(Int(entries.left))
    var child = entries.node
    let nodes = nodes(entries.source)
    for _ in 0..<entries.left {
      keys.append(nodes[child].key)
      child = Int(nodes[child].end)
    }
    return keys
  }

  /// Whose model tells whether a key is still there.
  mutating func presenceColumn(_ key: Int32, isMap: Bool, _ column: Int) -> Int {
    isMap ? column : table.child(.key(key), of: column)
  }

  /// The class that a number is expected to have, and the number.
  func expectedReal(_ reference: Reference?, _ column: Int) -> (RealClass, Double) {
    let mode = reference?.mode ?? .neighbour
    var prediction = 0.0
    var grid = realClass(column, mode)
    if let reference, node(reference).kind == .real {
      prediction = Double(bitPattern: expectation(reference, column).bits)
      if grid == nil { grid = RealClass(Double(bitPattern: node(reference).bits), expected: nil) }
    }
    return (grid ?? .whole, prediction)
  }

  func bytes(_ node: StateNode, isInBase: Bool) -> ArraySlice<UInt8> {
    heap(isInBase ? .base : .current)[Int(node.bits)..<Int(node.bits) + Int(node.count)]
  }

  func knownNode(_ place: RecentTexts.Place) -> StateNode {
    if place.isInBase, let base = baselines.base { return base.nodes[Int(place.node)] }
    return current.nodes[Int(place.node)]
  }

  /// Learns from a leaf that both sides know now.
  mutating func learnLeaf(_ place: Int, _ reference: Reference?, _ column: Int) {
    if let reference { learn(place, reference, column) }
    guard current.nodes[place].kind.hasBytes else { return }
    if let reference, node(reference).kind.hasBytes {
      remember(RecentTexts.Place(isInBase: reference.isInBase, node: Int32(reference.node)), column)
    }
    remember(RecentTexts.Place(isInBase: false, node: Int32(place)), column)
  }

  private mutating func remember(_ place: RecentTexts.Place, _ column: Int) {
    let node = knownNode(place)
    let bytes = bytes(node, isInBase: place.isInBase)
    let known = table.columns[column].recent.places
    let index = known.firstIndex { known in
      let other = knownNode(known)
      guard other.kind == node.kind, other.count == node.count else { return false }
      if known.isInBase == place.isInBase, known.node == place.node { return true }
      work.comparedBytes += bytes.count
      return self.bytes(other, isInBase: known.isInBase) == bytes
    }
    if let index {
      if index > 0 { table.columns[column].recent.moveToFront(index) }
    } else {
      table.columns[column].recent.insert(place)
    }
  }

  /// What an element of a list goes on from.
  enum ElementSource {
    /// The one at its own place.
    case inPlace
    /// The one with that index in the base.
    case index(Int)
    /// None: it is new.
    case new

    init(_ index: Int?) { self = index.map { .index($0) } ?? .new }
  }

  /// How far the elements of a list are.
  struct ListSteps {
    let baseCount: Int
    /// The index in the base that is expected next.
    var next = 0
    /// The elements before.
    private var last: Int?
    private var beforeLast: Int?

    init(baseCount: Int) { self.baseCount = baseCount }

    mutating func note(_ place: Int) { (beforeLast, last) = (last, place) }

    /// The element before this one, as what a new one resembles.
    var neighbour: Reference? {
      last.map { Reference(mode: .neighbour, isInBase: false, node: $0, older: beforeLast) }
    }
  }

  /// What an element of a list is predicted from: the one that it goes on from, else the one beside it.
  mutating func element(
    _ index: Int, count: Int, _ elements: inout ElementReferences?, _ steps: inout ListSteps, source: ElementSource
  ) -> Reference? {
    guard let known = elements, !known.base.isEmpty else { return steps.neighbour }
    if known.mode == .neighbour {
      // The parts of a point go on from those of the point beside it, those of a longer list from each other.
      if count <= 4, index < known.base.count { return elements?.reference(index, self) }
      return steps.neighbour
    }
    let place: Int? =
      switch source {
      case .inPlace: index
      case .index(let index): index
      case .new: nil
      }
    if let place {
      steps.next = place + 1
      return elements?.reference(place, self)
    }
    return steps.neighbour ?? Reference(mode: .neighbour, isInBase: true, node: known.base[0], older: nil)
  }
}

extension Slot {
  /// The models of a difference to what is expected.
  static func residual(_ reference: Reference?) -> Int {
    residual + (reference?.mode ?? .neighbour).rawValue * NumberModels.size
  }
}
