/// What has been learned, within one message, of the values that stand at alike places: one field of all elements of a
/// list, say (STATE §5.2).
struct Column {
  /// Where its models begin in the table.
  let models: Int
  /// What it is to its parent.
  let key: ColumnKey
  var firstChild: Int32 = -1
  var nextSibling: Int32 = -1
  /// The child that was asked for last: what follows it is asked for next, nearly always.
  var lastChild: Int32 = -1
  var childCount: Int32 = 0
  /// Below zero where going on as before has been nearer to the truth than staying; for each mode.
  var score: (base: Int8, neighbour: Int8) = (0, 0)
  var realClass: (base: RealClass?, neighbour: RealClass?) = (nil, nil)
  var recent = RecentTexts()
}

/// What a column is to its parent: the same key, the same place in a short list, or any place.
enum ColumnKey: Hashable {
  case key(Int32)
  case place(Int32)
  case any
}

/// Texts that a column has seen lately, the last one first, by their places in the trees.
struct RecentTexts {
  struct Place {
    var isInBase: Bool
    var node: Int32
  }

  static let limit = 8
  private(set) var places: [Place] = []

  mutating func moveToFront(_ index: Int) { places.insert(places.remove(at: index), at: 0) }

  mutating func insert(_ place: Place) {
    if places.count == Self.limit { places.removeLast() }
    places.insert(place, at: 0)
  }
}

/// Where the models of a column stand, counted from its first.
enum Slot {
  /// As predicted: for each mode, and for each of three states of what stood before.
  static let predicted = 0
  static let sameKind = 6
  static let kind = 8
  static let sameKeys = 24
  static let present = 25
  static let isMap = 26
  static let inPlace = 27
  static let goesOn = 28
  static let isNew = 29
  static let isRecent = 30
  static let isKnownKey = 31
  static let recent = 32
  static let sameClass = 40
  static let realClass = 42
  static let isTextKey = 50
  /// Numbers: residuals in each mode, counts and lengths, distances.
  static let residual = 52
  static let count = residual + 2 * NumberModels.size
  static let distance = count + NumberModels.size
  static let size = distance + NumberModels.size
}

/// Where the models of a number stand, counted from the first of them (STATE §5.3).
enum NumberModels {
  static let isLong = 0
  /// A tree of three bits, then one of six.
  static let short = 1
  static let long = 9
  static let sign = 73
  static let first = 74
  static let second = 90
  static let size = 122
}

/// The columns of one message, and all models.
struct ColumnTable {
  /// Beyond these, new ones are one with `any` child of the root: what a hostile state may cost is bounded.
  static let limit = 256

  var columns: [Column] = []
  var models: [BitModel]
  /// Children of one column beyond these are looked up rather than looked for.
  private static let fewChildren: Int32 = 8
  private struct Place: Hashable {
    let parent: Int
    let key: ColumnKey
  }
  private var lateChildren: [Place: Int] = [:]
  /// Bytes of texts, by what the byte before was.
  static let textModels = 4 * 256

  init() {
    models = Array(repeating: BitModel(), count: Self.textModels)
    models.reserveCapacity(Self.textModels + 16 * Slot.size)
    _ = add(.any)
  }

  private mutating func add(_ key: ColumnKey) -> Int {
    columns.append(Column(models: models.count, key: key))
    models.append(contentsOf: repeatElement(BitModel(), count: Slot.size))
    return columns.count - 1
  }

  /// The column of a child, if there is one already.
  func find(_ key: ColumnKey, of parent: Int) -> Int? {
    var child = columns[parent].firstChild
    var left = Self.fewChildren
    while child >= 0, left > 0 {
      if columns[Int(child)].key == key { return Int(child) }
      child = columns[Int(child)].nextSibling
      left -= 1
    }
    return child >= 0 ? lateChildren[Place(parent: parent, key: key)] : nil
  }

  /// The column of a child.
  mutating func child(_ key: ColumnKey, of parent: Int) -> Int {
    let last = columns[parent].lastChild
    if last >= 0 {
      let next = columns[Int(last)].nextSibling
      if next >= 0, columns[Int(next)].key == key {
        columns[parent].lastChild = next
        return Int(next)
      }
    }
    if let known = find(key, of: parent) {
      columns[parent].lastChild = Int32(truncatingIfNeeded: known)
      return known
    }
    // The root stands for all that is too much.
    guard columns.count < Self.limit else { return 0 }
    return append(key, to: parent)
  }

  private mutating func append(_ key: ColumnKey, to parent: Int) -> Int {
    let new = add(key)
    let number = Int32(truncatingIfNeeded: new)
    if columns[parent].firstChild < 0 {
      columns[parent].firstChild = number
    } else {
      var last = columns[parent].lastChild >= 0 ? columns[parent].lastChild : columns[parent].firstChild
      while columns[Int(last)].nextSibling >= 0 { last = columns[Int(last)].nextSibling }
      columns[Int(last)].nextSibling = number
    }
    columns[parent].lastChild = number
    if columns[parent].childCount >= Self.fewChildren { lateChildren[Place(parent: parent, key: key)] = new }
    columns[parent].childCount += 1
    return new
  }

  /// The key of a child by its number in the order in which they were added; nil where there is none.
  func key(_ index: Int, of parent: Int) -> Int32? {
    var left = index
    var child = columns[parent].firstChild
    while child >= 0 {
      if left == 0 { if case .key(let key) = columns[Int(child)].key { return key } else { return nil } }
      left -= 1
      child = columns[Int(child)].nextSibling
    }
    return nil
  }

  /// The number of a key among the children.
  func index(of key: Int32, of parent: Int) -> Int? {
    var index = 0
    var child = columns[parent].firstChild
    while child >= 0 {
      if columns[Int(child)].key == .key(key) { return index }
      index += 1
      child = columns[Int(child)].nextSibling
    }
    return nil
  }
}
