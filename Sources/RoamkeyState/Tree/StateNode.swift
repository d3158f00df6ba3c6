/// One value of a state: a leaf, or a container whose children follow it.
struct StateNode {
  /// What it is. The numbers are on the wire (STATE §4).
  enum Kind: UInt8 {
    case null
    case no
    case yes
    /// `bits` are those of an Int64.
    case integer
    /// A whole number of `bits`, which is 2^63 or more.
    case largeInteger
    /// The whole number -1 - `bits`, where `bits` is 2^63 or more.
    case smallInteger
    /// `bits` are those of a Double.
    case real
    /// `count` bytes of UTF-8 from `bits` on.
    case text
    /// `count` bytes from `bits` on.
    case bytes
    case list
    /// Its children are sorted by their keys.
    case dictionary
    case undefined
    /// A value with the tag `bits`: its only child.
    case tagged
    /// The simple value `bits` (RFC 8949, section 3.3).
    case simple

    /// Whether children follow it.
    var isContainer: Bool {
      switch self {
      case .list, .dictionary, .tagged: true
      case .null, .no, .yes, .integer, .largeInteger, .smallInteger, .real, .text, .bytes, .undefined, .simple: false
      }
    }

    /// Whether its bytes stand in the tree's heap.
    var hasBytes: Bool { self == .text || self == .bytes }
  }

  var bits: UInt64 = 0
  /// The place behind its last descendant.
  var end: Int32 = 0
  /// How many children it has, or bytes.
  var count: Int32 = 0
  /// What it stands under in a dictionary: a number of the `KeyTable`; -1 elsewhere.
  var key: Int32 = -1
  var kind: Kind
  /// A dictionary whose keys are names of things rather than of properties, as far as can be seen.
  var isMap = false

  init(_ kind: Kind, bits: UInt64 = 0, count: Int = 0, key: Int32 = -1) {
    self.kind = kind
    self.bits = bits
    self.count = Int32(truncatingIfNeeded: count)
    self.key = key
  }
}
