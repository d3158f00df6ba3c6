/// Where a value is looked for to predict another from it.
struct Reference {
  /// Which models count: the same thing before, or another thing beside it.
  enum Mode: Int {
    case base, neighbour
  }

  let mode: Mode
  /// In the base, or in the state itself, as far as it is there.
  let isInBase: Bool
  let node: Int
  /// What was before it: in the older base, or where `node` is; nil for none.
  let older: Int?

  /// Where `node` is.
  var source: TreeSource { isInBase ? .base : .current }
  /// Where `older` is.
  var olderSource: TreeSource { mode == .base ? .older : source }
}

/// One of the three states that a reference may point into.
enum TreeSource {
  case base, older, current
}

/// What a message has made a reader do beyond what it brought (STATE §8).
struct StateWork {
  /// Children of the states that it is the difference to, each time that they were looked at.
  var visits = 0
  /// Bytes of texts that were compared.
  var comparedBytes = 0
}

/// One difference between states: what a publisher writes and a subscriber reads, with what both know of it.
///
/// The tree is walked in `+Write` and `+Read`; what both must do alike stands in the other extensions, once.
struct StateCoding<Coder: BitCoder> {
  /// The states that it is the difference to, and how far back they are.
  struct Baselines {
    var base: StateTree?
    var older: StateTree?
    /// Frames from the base to this state, and from the older one to the base.
    var distance: Int64 = 1
    var span: Int64 = 1
  }

  var coder: Coder
  var table = ColumnTable()
  let baselines: Baselines
  /// The state: all of it where it is written, what is there so far where it is read.
  var current: TreeWriter
  /// What was before the node that is coded now, in its container: 0 nothing, 1 as predicted, 2 not.
  var before = 0
  /// Keys that were read, and their bytes.
  var keyCount = 0
  var keyBytes = 0
  /// What it has cost to find things in the baselines.
  var work = StateWork()

  init(_ coder: Coder, _ baselines: Baselines, _ current: TreeWriter) {
    self.coder = coder
    self.baselines = baselines
    self.current = current
  }

  // MARK: Nodes

  func node(_ reference: Reference) -> StateNode {
    if reference.isInBase, let base = baselines.base { return base.nodes[reference.node] }
    return current.nodes[reference.node]
  }

  /// The older node of a reference; nil where it has none.
  func olderNode(_ reference: Reference) -> StateNode? { reference.older.map { nodes(reference.olderSource)[$0] } }

  /// The nodes of a state. Nobody may keep them while the state grows: they would be copied.
  func nodes(_ source: TreeSource) -> [StateNode] {
    switch source {
    case .base: baselines.base?.nodes ?? []
    case .older: baselines.older?.nodes ?? []
    case .current: current.nodes
    }
  }

  /// The texts of a state. Nobody may keep them while the state grows.
  func heap(_ source: TreeSource) -> [UInt8] {
    switch source {
    case .base: baselines.base?.heap ?? []
    case .older: baselines.older?.heap ?? []
    case .current: current.heap
    }
  }

  func isSameBytes(_ place: Int, _ reference: Reference) -> Bool {
    let (one, other) = (current.nodes[place], node(reference))
    guard one.count == other.count else { return false }
    let (here, there) = (Int(one.bits), Int(other.bits))
    let heap = heap(reference.source)
    return current.heap[here..<here + Int(one.count)] == heap[there..<there + Int(other.count)]
  }

  // MARK: Bits

  mutating func bit(_ bit: Bool, _ column: Int, _ slot: Int) -> Bool {
    coder.code(bit, &table.models[table.columns[column].models + slot])
  }

  /// A number of so many bits, most significant first, each with what is known of those before it.
  mutating func tree(_ number: Int, bits: Int, at models: Int) -> Int {
    var prefix = 1
    for place in stride(from: bits - 1, through: 0, by: -1) {
      let bit = coder.code(number >> place & 1 == 1, &table.models[models + prefix])
      prefix = prefix << 1 | (bit ? 1 : 0)
    }
    return prefix - 1 << bits
  }

  /// A number of any size: how many bits it has, then these (STATE §5.3).
  mutating func number(_ number: UInt64, _ column: Int, _ slot: Int) -> UInt64 {
    let models = table.columns[column].models + slot
    var bits = 64 - number.leadingZeroBitCount
    if coder.code(bits >= 8, &table.models[models + NumberModels.isLong]) {
      bits = tree(bits - 8, bits: 6, at: models + NumberModels.long) + 8
    } else {
      bits = tree(bits, bits: 3, at: models + NumberModels.short)
    }
    guard bits > 1 else { return UInt64(bits) }
    // A reader may be told of more than 64.
    bits = min(bits, 64)
    var value: UInt64 = 1
    var left = bits - 1
    if bits < 16 {
      let first = coder.code(number >> UInt64(left - 1) & 1 == 1, &table.models[models + NumberModels.first + bits])
      value = value << 1 | (first ? 1 : 0)
      left -= 1
      if left > 0 {
        let model = models + NumberModels.second + 2 * bits + (first ? 1 : 0)
        let second = coder.code(number >> UInt64(left - 1) & 1 == 1, &table.models[model])
        value = value << 1 | (second ? 1 : 0)
        left -= 1
      }
    }
    guard left > 0 else { return value }
    let rest = coder.code(number & ((1 << UInt64(left)) - 1), bits: left)
    return value << UInt64(left) | rest
  }

  /// A difference: its size, then its sign.
  mutating func signed(_ number: Int64, _ column: Int, _ slot: Int) -> Int64 {
    let size = self.number(number.magnitude, column, slot)
    guard size > 0 else { return 0 }
    let isNegative = bit(number < 0, column, slot + NumberModels.sign)
    let value = Int64(bitPattern: size)
    return isNegative ? 0 &- value : value
  }

  /// The bytes of a text, after their number (STATE §5.6).
  mutating func byte(_ byte: UInt8, after last: UInt8?) -> UInt8 {
    let kind =
      switch last {
      case nil: 0
      case .some(0x61...0x7a): 1
      case .some(0x30...0x39): 2
      case .some: 3
      }
    return UInt8(truncatingIfNeeded: tree(Int(byte), bits: 8, at: kind * 256))
  }
}
