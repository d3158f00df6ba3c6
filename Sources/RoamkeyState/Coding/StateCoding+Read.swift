internal import RoamkeyCBOR

/// Reading: the tree grows as the message says, within its limits. Every step is that of `+Write`.
extension StateCoding where Coder == RangeDecoder {
  /// The state that a payload makes of its baselines (STATE §5).
  /// - Throws: for bytes that are no state, for one beyond the limits, and where baselines are other ones than those
  ///   that it was written with.
  static func decode(
    _ payload: ArraySlice<UInt8>, _ baselines: Baselines, keys: inout KeyTable, limits: StateLimits
  ) throws(StateError) -> StateTree {
    var work = StateWork()
    return try decode(payload, baselines, keys: &keys, limits: limits, work: &work)
  }

  /// The same, and what it has cost, for errors as well.
  static func decode(
    _ payload: ArraySlice<UInt8>, _ baselines: Baselines, keys: inout KeyTable, limits: StateLimits,
    work: inout StateWork
  ) throws(StateError) -> StateTree {
    var coding = StateCoding(RangeDecoder(payload), baselines, TreeWriter(limits: limits))
    defer { work = coding.work }
    let reference = baselines.base.map { _ in
      Reference(mode: .base, isInBase: true, node: 0, older: baselines.older == nil ? nil : 0)
    }
    try coding.read(reference, 0, key: -1, depth: 0, &keys)
    let check = coding.coder.code(0, bits: 16)
    guard coding.coder.isComplete else { throw .malformed }
    let tree = StateTree(nodes: coding.current.nodes, heap: coding.current.heap, keys: keys)
    guard tree.check == check else { throw baselines.base == nil ? .malformed : .wrongBaseline }
    return tree
  }

  private mutating func read(
    _ reference: Reference?, _ column: Int, key: Int32, depth: Int, _ keys: inout KeyTable
  ) throws(StateError) {
    guard !coder.hasEnded else { throw .malformed }
    var kind: StateNode.Kind
    if let reference {
      let isPredicted = bit(false, column, Slot.predicted + reference.mode.rawValue * 3 + before)
      before = isPredicted ? 1 : 2
      if isPredicted {
        let place = current.nodes.count
        try appendPredicted(reference, column, key: key, depth: depth, keys)
        if !current.nodes[place].kind.isContainer { learnLeaf(place, reference, column) }
        return
      }
      let isSame = bit(false, column, Slot.sameKind + reference.mode.rawValue)
      kind = isSame ? node(reference).kind : try readKind(column)
    } else {
      before = 2
      kind = try readKind(column)
    }
    guard depth < StateLimits.maximumDepth || !kind.isContainer else { throw .tooDeep(limit: StateLimits.maximumDepth) }
    let place = current.nodes.count
    switch kind {
    case .null, .no, .yes, .undefined: _ = try current.append(StateNode(kind, key: key))
    case .integer, .largeInteger, .smallInteger, .simple: try readInteger(kind, reference, column, key)
    case .real: try readReal(reference, column, key)
    case .text, .bytes: try readText(kind, column, key)
    case .list:
      try inside { this throws(StateError) in try this.readList(reference, column, key, depth, &keys) }
    case .dictionary:
      try inside { this throws(StateError) in try this.readDictionary(reference, column, key, depth, &keys) }
    case .tagged:
      try inside { this throws(StateError) in try this.readTagged(reference, column, key, depth, &keys) }
    }
    if !kind.isContainer { learnLeaf(place, reference, column) }
    try checkWork()
  }

  /// Children of a reference's container are about to be looked at.
  private mutating func visit(_ reference: Reference?) throws(StateError) {
    guard let reference else { return }
    let node = node(reference)
    if node.kind.isContainer { work.visits += Int(node.count) }
    if let older = olderNode(reference), older.kind.isContainer { work.visits += Int(older.count) }
    try checkWork()
  }

  private func checkWork() throws(StateError) {
    let limits = current.limits
    guard work.visits <= limits.maximumValues * StateLimits.visitsPerValue,
      work.comparedBytes <= limits.maximumBytes * StateLimits.comparisonsPerByte
    else { throw .tooMuchWork }
  }

  private mutating func readKind(_ column: Int) throws(StateError) -> StateNode.Kind {
    let number = tree(0, bits: 4, at: table.columns[column].models + Slot.kind)
    guard let kind = StateNode.Kind(rawValue: UInt8(truncatingIfNeeded: number)) else { throw .malformed }
    return kind
  }

  /// Adds what is expected, and all that is in it.
  private mutating func appendPredicted(
    _ reference: Reference, _ column: Int?, key: Int32, depth: Int, _ keys: KeyTable
  ) throws(StateError) {
    // A base may hang deeper here than it did there.
    let node = node(reference)
    guard depth < StateLimits.maximumDepth || !node.kind.isContainer else {
      throw .tooDeep(limit: StateLimits.maximumDepth)
    }
    switch node.kind {
    case .null, .no, .yes, .undefined, .integer, .largeInteger, .smallInteger, .real, .simple:
      _ = try current.append(StateNode(node.kind, bits: expectation(reference, column).bits, key: key))
    case .text, .bytes:
      // As an array of its own: the heap would be copied if a part of it were kept while it grows.
      _ = try current.append(node.kind, Array(bytes(node, isInBase: reference.isInBase)), key: key)
    case .tagged:
      let place = try current.append(StateNode(.tagged, bits: node.bits, count: 1, key: key))
      let inner = column.flatMap { table.find(.any, of: $0) }
      try appendPredicted(tagged(reference), inner, key: -1, depth: depth + 1, keys)
      current.end(place)
    case .list:
      try visit(reference)
      guard var elements = elements(reference) else { throw .malformed }
      let count = elements.base.count
      let place = try current.append(StateNode(.list, count: count, key: key))
      for index in 0..<count {
        let inner = column.flatMap { table.find(Self.key(index, count: count), of: $0) }
        let before = elements.visits
        let element = elements.reference(index, self)
        work.visits += elements.visits - before
        try checkWork()
        try appendPredicted(element, inner, key: -1, depth: depth + 1, keys)
      }
      current.end(place)
    case .dictionary:
      try visit(reference)
      guard var entries = entries(reference) else { throw .malformed }
      let place = try current.append(StateNode(.dictionary, count: Int(node.count), key: key))
      let entryKeys = keysOf(entries)
      try current.count(entryKeys, keys)
      for entryKey in entryKeys {
        guard let entry = entries.find(entryKey, keys, self) else { throw .malformed }
        let inner = column.flatMap { table.find(Self.key(entryKey, isMap: node.isMap), of: $0) }
        try appendPredicted(entry, inner, key: entryKey, depth: depth + 1, keys)
      }
      current.end(place)
    }
  }

  // MARK: Containers

  private mutating func readTagged(
    _ reference: Reference?, _ column: Int, _ key: Int32, _ depth: Int, _ keys: inout KeyTable
  ) throws(StateError) {
    let tag = number(0, column, Slot.count)
    let place = try current.append(StateNode(.tagged, bits: tag, count: 1, key: key))
    let inner = reference.flatMap { node($0).kind == .tagged ? tagged($0) : nil }
    try read(inner, table.child(.any, of: column), key: -1, depth: depth + 1, &keys)
    current.end(place)
  }

  private mutating func readList(
    _ reference: Reference?, _ column: Int, _ key: Int32, _ depth: Int, _ keys: inout KeyTable
  ) throws(StateError) {
    try visit(reference)
    var elements = elements(reference)
    let baseCount = elements?.base.count ?? 0
    let difference = signed(0, column, Slot.count)
    let (count, isTooMuch) = difference.addingReportingOverflow(Int64(baseCount))
    guard !isTooMuch, count >= 0 else { throw .malformed }
    guard count <= Int64(current.room) else { throw .tooManyValues(limit: current.limits.maximumValues) }
    var isInPlace = true
    if let elements, elements.mode == .base, count > 0, baseCount > 0 {
      isInPlace = difference == 0 ? bit(false, column, Slot.inPlace) : false
    }
    let place = try current.append(StateNode(.list, count: Int(count), key: key))
    var steps = ListSteps(baseCount: baseCount)
    // Who may go on from the same one again makes a reader look at it again, for nearly nothing.
    var isTaken = Array(repeating: false, count: isInPlace ? 0 : baseCount)
    for index in 0..<Int(count) {
      var source = ElementSource.inPlace
      if !isInPlace {
        let told = try readSource(&steps, column)
        if let told {
          guard !isTaken[told] else { throw .malformed }
          isTaken[told] = true
        }
        source = ElementSource(told)
      }
      let before = elements?.visits ?? 0
      let element = element(index, count: Int(count), &elements, &steps, source: source)
      work.visits += (elements?.visits ?? 0) - before
      let child = current.nodes.count
      let inner = table.child(Self.key(index, count: Int(count)), of: column)
      try read(element, inner, key: -1, depth: depth + 1, &keys)
      steps.note(child)
    }
    current.end(place)
  }

  private mutating func readSource(_ steps: inout ListSteps, _ column: Int) throws(StateError) -> Int? {
    if steps.next < steps.baseCount, bit(false, column, Slot.goesOn) { return steps.next }
    if bit(false, column, Slot.isNew) { return nil }
    let (index, isTooMuch) = signed(0, column, Slot.distance).addingReportingOverflow(Int64(steps.next))
    guard !isTooMuch, index >= 0, index < Int64(steps.baseCount) else { throw .malformed }
    return Int(index)
  }

  private mutating func readDictionary(
    _ reference: Reference?, _ column: Int, _ key: Int32, _ depth: Int, _ keys: inout KeyTable
  ) throws(StateError) {
    try visit(reference)
    var entries = entries(reference)
    let isMap = bit(false, column, Slot.isMap)
    let sorted = try readKeys(entries, isMap: isMap, column, &keys)
    try current.count(sorted, keys)
    let place = try current.append(StateNode(.dictionary, count: sorted.count, key: key))
    var steps = ListSteps(baseCount: 0)
    for entryKey in sorted {
      let entry = entries?.find(entryKey, keys, self) ?? (isMap ? steps.neighbour : nil)
      let child = current.nodes.count
      let inner = table.child(Self.key(entryKey, isMap: isMap), of: column)
      try read(entry, inner, key: entryKey, depth: depth + 1, &keys)
      steps.note(child)
    }
    current.end(place)
    // Both sides tell alike what a dictionary is, or later guesses would part.
    guard current.nodes[place].isMap == isMap else { throw .malformed }
  }

  private mutating func readKeys(
    _ entries: EntryReferences?, isMap: Bool, _ column: Int, _ keys: inout KeyTable
  ) throws(StateError) -> [Int32] {
    var sorted: [Int32] = []
    if let entries {
      let known = keysOf(entries)
      if bit(false, column, Slot.sameKeys) { return known }
      for key in known {
        guard !coder.hasEnded else { throw .malformed }
        if bit(false, presenceColumn(key, isMap: isMap, column), Slot.present) { sorted.append(key) }
      }
    }
    let added = number(0, column, Slot.count)
    // With more entries than this it is a map: names of columns, which are looked for, are few.
    guard isMap || added <= UInt64(TreeWriter.largestRecord) else { throw .malformed }
    guard added <= UInt64(max(0, current.room - sorted.count)) else {
      throw .tooManyValues(limit: current.limits.maximumValues)
    }
    guard added > 0 else { return sorted }
    for _ in 0..<Int(added) {
      guard !coder.hasEnded else { throw .malformed }
      sorted.append(try readKey(isMap: isMap, column, &keys))
    }
    sorted.sort { keys.precedes($0, $1) }
    guard !zip(sorted, sorted.dropFirst()).contains(where: { $0 == $1 }) else { throw .malformed }
    return sorted
  }

  private mutating func readKey(
    isMap: Bool, _ column: Int, _ keys: inout KeyTable
  ) throws(StateError) -> Int32 {
    if !isMap, bit(false, column, Slot.isKnownKey) {
      let index = number(0, column, Slot.distance)
      guard index < UInt64(ColumnTable.limit), let known = table.key(Int(index), of: column) else { throw .malformed }
      return known
    }
    let isText = bit(false, column, Slot.isTextKey)
    let bytes = try readBytes(column)
    keyCount += 1
    guard keyCount <= current.limits.maximumValues else { throw .tooManyValues(limit: current.limits.maximumValues) }
    keyBytes += bytes.count
    guard keyBytes <= current.limits.maximumBytes else { throw .tooManyBytes(limit: current.limits.maximumBytes) }
    let key: Value
    if isText {
      guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed }
      key = .text(text)
    } else {
      guard let value = try? Value(cbor: bytes), (try? value.cbor()) == bytes else { throw .malformed }
      if case .text = value { throw .malformed }
      key = value
    }
    let number = try keys.number(of: key)
    if !isMap { _ = table.child(.key(number), of: column) }
    return number
  }

  // MARK: Leaves

  private mutating func readInteger(
    _ kind: StateNode.Kind, _ reference: Reference?, _ column: Int, _ key: Int32
  ) throws(StateError) {
    let expected = reference.map { expectation($0, column) }
    let start = expected?.kind == kind ? expected?.bits ?? 0 : 0
    let bits = start &+ UInt64(bitPattern: signed(0, column, Slot.residual(reference)))
    // Each number has one form only.
    switch kind {
    case .largeInteger, .smallInteger: guard bits >> 63 == 1 else { throw .malformed }
    case .simple: guard bits <= 255 else { throw .malformed }
    case .null, .no, .yes, .integer, .real, .text, .bytes, .list, .dictionary, .undefined, .tagged: break
    }
    _ = try current.append(StateNode(kind, bits: bits, key: key))
  }

  private mutating func readReal(_ reference: Reference?, _ column: Int, _ key: Int32) throws(StateError) {
    let mode = reference?.mode ?? .neighbour
    let (expected, prediction) = expectedReal(reference, column)
    var grid = expected
    if !bit(false, column, Slot.sameClass + mode.rawValue) {
      let number = tree(0, bits: 3, at: table.columns[column].models + Slot.realClass)
      guard let other = RealClass(rawValue: UInt8(truncatingIfNeeded: number)) else { throw .malformed }
      grid = other
    }
    note(grid, column, mode)
    let place = grid.place(prediction) &+ signed(0, column, Slot.residual(reference))
    guard let value = grid.value(at: place) else { throw .malformed }
    _ = try current.append(StateNode(.real, bits: value.bitPattern, key: key))
  }

  private mutating func readText(_ kind: StateNode.Kind, _ column: Int, _ key: Int32) throws(StateError) {
    let bytes: [UInt8]
    if bit(false, column, Slot.isRecent) {
      let index = tree(0, bits: 3, at: table.columns[column].models + Slot.recent)
      let known = table.columns[column].recent.places
      guard index < known.count else { throw .malformed }
      bytes = Array(self.bytes(knownNode(known[index]), isInBase: known[index].isInBase))
    } else {
      bytes = try readBytes(column)
    }
    if kind == .text, String(validating: bytes, as: UTF8.self) == nil { throw .malformed }
    _ = try current.append(kind, bytes, key: key)
  }

  private mutating func readBytes(_ column: Int) throws(StateError) -> [UInt8] {
    let count = number(0, column, Slot.distance)
    guard count <= UInt64(max(0, current.heapRoom)) else { throw .tooManyBytes(limit: current.limits.maximumBytes) }
    var bytes: [UInt8] = []
    for _ in 0..<Int(count) {
      guard !coder.hasEnded else { throw .malformed }
      bytes.append(byte(0, after: bytes.last))
    }
    return bytes
  }
}
