/// What a leaf is expected to be (STATE §5.4).
extension StateCoding {
  /// A leaf that is expected: that of the reference, or another number.
  struct Expectation {
    let kind: StateNode.Kind
    let bits: UInt64
  }

  /// - Parameter column: nil where there is none yet.
  func expectation(_ reference: Reference, _ column: Int?) -> Expectation {
    let node = node(reference)
    if let column, score(column, reference.mode) < 0, let bits = continuation(reference, column) {
      return Expectation(kind: node.kind, bits: bits)
    }
    return Expectation(kind: node.kind, bits: node.bits)
  }

  /// The bits of the number that would come if things went on as between the older one and the reference; nil where
  /// that cannot be told.
  func continuation(_ reference: Reference, _ column: Int?) -> UInt64? {
    let node = node(reference)
    guard let older = olderNode(reference), node.kind == older.kind else { return nil }
    let (distance, span) = reference.mode == .base ? (baselines.distance, baselines.span) : (1, 1)
    switch node.kind {
    case .integer:
      let (value, before) = (Int64(bitPattern: node.bits), Int64(bitPattern: older.bits))
      return Self.continued(value, before, distance, span).map { UInt64(bitPattern: $0) }
    case .real:
      let (value, before) = (Double(bitPattern: node.bits), Double(bitPattern: older.bits))
      let next = value + (value - before) * (Double(distance) / Double(span))
      guard next.isFinite else { return nil }
      let grid = column.flatMap { realClass($0, reference.mode) } ?? RealClass(value, expected: nil)
      // A Float may end sooner than a Double does.
      guard let rounded = grid.rounded(next), rounded.isFinite else { return nil }
      return rounded.bitPattern
    case .null, .no, .yes, .largeInteger, .smallInteger, .text, .bytes, .list, .dictionary, .undefined, .tagged,
      .simple:
      return nil
    }
  }

  /// `value + (value - before) * distance / span`, rounded to the nearest, halves upwards; nil beyond 64 bits.
  private static func continued(_ value: Int64, _ before: Int64, _ distance: Int64, _ span: Int64) -> Int64? {
    let step = Int128(value) - Int128(before)
    let numerator = step * Int128(distance) * 2 + Int128(span)
    let denominator = Int128(span) * 2
    var quotient = numerator / denominator
    if numerator % denominator < 0 { quotient -= 1 }
    return Int64(exactly: Int128(value) + quotient)
  }

  func score(_ column: Int, _ mode: Reference.Mode) -> Int8 {
    switch mode {
    case .base: table.columns[column].score.base
    case .neighbour: table.columns[column].score.neighbour
    }
  }

  func realClass(_ column: Int, _ mode: Reference.Mode) -> RealClass? {
    switch mode {
    case .base: table.columns[column].realClass.base
    case .neighbour: table.columns[column].realClass.neighbour
    }
  }

  mutating func note(_ realClass: RealClass, _ column: Int, _ mode: Reference.Mode) {
    switch mode {
    case .base: table.columns[column].realClass.base = realClass
    case .neighbour: table.columns[column].realClass.neighbour = realClass
    }
  }

  /// Learns from a number which of both guesses was nearer.
  mutating func learn(_ place: Int, _ reference: Reference, _ column: Int) {
    guard let next = continuation(reference, column) else { return }
    let (actual, last) = (current.nodes[place], node(reference))
    guard actual.kind == last.kind, next != last.bits else { return }
    let nearer: Bool?
    if actual.kind == .real {
      let value = Double(bitPattern: actual.bits)
      let (staying, going) = (abs(value - Double(bitPattern: last.bits)), abs(value - Double(bitPattern: next)))
      nearer = going < staying ? true : going > staying ? false : nil
    } else {
      let staying = Int64(bitPattern: actual.bits &- last.bits).magnitude
      let going = Int64(bitPattern: actual.bits &- next).magnitude
      nearer = going < staying ? true : going > staying ? false : nil
    }
    guard let nearer else { return }
    let score = score(column, reference.mode)
    let new = nearer ? max(-8, score - 1) : min(8, score + 1)
    switch reference.mode {
    case .base: table.columns[column].score.base = new
    case .neighbour: table.columns[column].score.neighbour = new
    }
  }
}
