/// Writing: the tree of the state is there, and what is expected of each node is compared with it.
extension StateCoding where Coder == RangeEncoder {
  /// The payload of a message for a state (STATE §5).
  static func encode(_ tree: StateTree, _ baselines: Baselines, keys: KeyTable) -> [UInt8] {
    var coding = StateCoding(RangeEncoder(), baselines, TreeWriter(tree))
    let reference = baselines.base.map { _ in
      Reference(mode: .base, isInBase: true, node: 0, older: baselines.older == nil ? nil : 0)
    }
    coding.write(0, reference, 0, keys)
    _ = coding.coder.code(tree.hash & 0xffff, bits: 16)
    return coding.coder.finish()
  }

  private mutating func write(_ place: Int, _ reference: Reference?, _ column: Int, _ keys: KeyTable) {
    let node = current.nodes[place]
    if let reference {
      let isPredicted = isPredicted(place, reference, column, keys)
      _ = bit(isPredicted, column, Slot.predicted + reference.mode.rawValue * 3 + before)
      before = isPredicted ? 1 : 2
      if isPredicted {
        if !node.kind.isContainer { learnLeaf(place, reference, column) }
        return
      }
      let isSame = node.kind == self.node(reference).kind
      if !bit(isSame, column, Slot.sameKind + reference.mode.rawValue) { writeKind(node, column) }
    } else {
      before = 2
      writeKind(node, column)
    }
    switch node.kind {
    case .null, .no, .yes, .undefined: break
    case .integer, .largeInteger, .smallInteger, .simple: writeInteger(node, reference, column)
    case .real: writeReal(node, reference, column)
    case .text, .bytes: writeText(place, reference, column)
    case .list: inside { $0.writeList(place, reference, column, keys) }
    case .dictionary: inside { $0.writeDictionary(place, reference, column, keys) }
    case .tagged: inside { $0.writeTagged(place, reference, column, keys) }
    }
    if !node.kind.isContainer { learnLeaf(place, reference, column) }
  }

  private mutating func writeKind(_ node: StateNode, _ column: Int) {
    _ = tree(Int(node.kind.rawValue), bits: 4, at: table.columns[column].models + Slot.kind)
  }

  /// Whether it is all as expected, whatever is in it.
  private func isPredicted(_ place: Int, _ reference: Reference, _ column: Int?, _ keys: KeyTable) -> Bool {
    let (node, other) = (current.nodes[place], node(reference))
    guard node.kind == other.kind, node.count == other.count else { return false }
    switch node.kind {
    case .null, .no, .yes, .undefined: return true
    case .integer, .largeInteger, .smallInteger, .real, .simple:
      return expectation(reference, column).bits == node.bits
    case .text, .bytes: return isSameBytes(place, reference)
    case .tagged:
      guard node.bits == other.bits else { return false }
      return isPredicted(place + 1, tagged(reference), column.flatMap { table.find(.any, of: $0) }, keys)
    case .list:
      guard var elements = elements(reference) else { return false }
      var child = place + 1
      for index in 0..<Int(node.count) {
        let key = Self.key(index, count: Int(node.count))
        guard isPredicted(child, elements.reference(index, self), column.flatMap { table.find(key, of: $0) }, keys)
        else {
          return false
        }
        child = Int(current.nodes[child].end)
      }
      return true
    case .dictionary:
      guard var entries = entries(reference) else { return false }
      var child = place + 1
      for _ in 0..<node.count {
        let childKey = current.nodes[child].key
        let key = Self.key(childKey, isMap: node.isMap)
        guard let entry = entries.find(childKey, keys, self),
          isPredicted(child, entry, column.flatMap { table.find(key, of: $0) }, keys)
        else { return false }
        child = Int(current.nodes[child].end)
      }
      return true
    }
  }

  // MARK: Containers

  private mutating func writeTagged(_ place: Int, _ reference: Reference?, _ column: Int, _ keys: KeyTable) {
    _ = number(current.nodes[place].bits, column, Slot.count)
    let inner = reference.flatMap { node($0).kind == .tagged ? tagged($0) : nil }
    write(place + 1, inner, table.child(.any, of: column), keys)
  }

  private mutating func writeList(_ place: Int, _ reference: Reference?, _ column: Int, _ keys: KeyTable) {
    let places = Self.children(current.nodes, place)
    var elements = elements(reference)
    let difference = Int64(places.count - (elements?.base.count ?? 0))
    _ = signed(difference, column, Slot.count)
    var sources: [Int?]?
    if let known = elements, known.mode == .base, !places.isEmpty, !known.base.isEmpty {
      sources = ListMatching.match(
        places, current.nodes, current.heap, with: known.base, nodes(known.source), heap(known.source), keys)
      if difference == 0 { _ = bit(sources == nil, column, Slot.inPlace) }
      // A list of another length tells of each element.
      if difference != 0, sources == nil { sources = places.indices.map { $0 < known.base.count ? $0 : nil } }
    }
    var steps = ListSteps(baseCount: elements?.base.count ?? 0)
    for (index, child) in places.enumerated() {
      var source = ElementSource.inPlace
      if let sources {
        source = ElementSource(sources[index])
        write(sources[index], &steps, column)
      }
      let element = element(index, count: places.count, &elements, &steps, source: source)
      write(child, element, table.child(Self.key(index, count: places.count), of: column), keys)
      steps.note(child)
    }
  }

  private mutating func write(_ source: Int?, _ steps: inout ListSteps, _ column: Int) {
    if steps.next < steps.baseCount {
      if bit(source == steps.next, column, Slot.goesOn) { return }
    }
    if bit(source == nil, column, Slot.isNew) { return }
    _ = signed(Int64((source ?? 0) - steps.next), column, Slot.distance)
  }

  private mutating func writeDictionary(_ place: Int, _ reference: Reference?, _ column: Int, _ keys: KeyTable) {
    let node = current.nodes[place]
    let children = Self.children(current.nodes, place)
    var entries = entries(reference)
    _ = bit(node.isMap, column, Slot.isMap)
    writeKeys(children.map { current.nodes[$0].key }, entries, isMap: node.isMap, column, keys)
    var steps = ListSteps(baseCount: 0)
    for child in children {
      let key = current.nodes[child].key
      let entry = entries?.find(key, keys, self) ?? (node.isMap ? steps.neighbour : nil)
      write(child, entry, table.child(Self.key(key, isMap: node.isMap), of: column), keys)
      steps.note(child)
    }
  }

  private mutating func writeKeys(
    _ sorted: [Int32], _ entries: EntryReferences?, isMap: Bool, _ column: Int, _ keys: KeyTable
  ) {
    var added = sorted
    if let entries {
      let known = keysOf(entries)
      if bit(known == sorted, column, Slot.sameKeys) { return }
      let present = Set(sorted)
      for key in known { _ = bit(present.contains(key), presenceColumn(key, isMap: isMap, column), Slot.present) }
      let before = Set(known)
      added = sorted.filter { !before.contains($0) }
    }
    _ = number(UInt64(added.count), column, Slot.count)
    for key in added {
      if !isMap {
        let index = table.index(of: key, of: column)
        if bit(index != nil, column, Slot.isKnownKey), let index {
          _ = number(UInt64(index), column, Slot.distance)
          continue
        }
      }
      _ = bit(keys[key].isText, column, Slot.isTextKey)
      writeBytes(keys[key].bytes[...], column)
      if !isMap { _ = table.child(.key(key), of: column) }
    }
  }

  // MARK: Leaves

  private mutating func writeInteger(_ node: StateNode, _ reference: Reference?, _ column: Int) {
    let expected = reference.map { expectation($0, column) }
    let bits = expected?.kind == node.kind ? expected?.bits ?? 0 : 0
    _ = signed(Int64(bitPattern: node.bits &- bits), column, Slot.residual(reference))
  }

  private mutating func writeReal(_ node: StateNode, _ reference: Reference?, _ column: Int) {
    let value = Double(bitPattern: node.bits)
    let mode = reference?.mode ?? .neighbour
    let (expected, prediction) = expectedReal(reference, column)
    let grid = RealClass(value, expected: expected)
    if !bit(grid == expected, column, Slot.sameClass + mode.rawValue) {
      _ = tree(Int(grid.rawValue), bits: 3, at: table.columns[column].models + Slot.realClass)
    }
    note(grid, column, mode)
    _ = signed(grid.place(value) &- grid.place(prediction), column, Slot.residual(reference))
  }

  private mutating func writeText(_ place: Int, _ reference: Reference?, _ column: Int) {
    let bytes = bytes(current.nodes[place], isInBase: false)
    let recent = table.columns[column].recent.places
    let index = recent.firstIndex { known in
      let node = knownNode(known)
      return node.kind == current.nodes[place].kind && self.bytes(node, isInBase: known.isInBase) == bytes
    }
    if bit(index != nil, column, Slot.isRecent), let index {
      _ = tree(index, bits: 3, at: table.columns[column].models + Slot.recent)
    } else {
      writeBytes(bytes, column)
    }
  }

  private mutating func writeBytes(_ bytes: ArraySlice<UInt8>, _ column: Int) {
    _ = number(UInt64(bytes.count), column, Slot.distance)
    var last: UInt8?
    for byte in bytes { last = self.byte(byte, after: last) }
  }
}
