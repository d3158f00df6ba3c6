/// Reads CBOR that anybody may have written: every well-formed item (RFC 8949), however long its numbers and however
/// its lengths are told. Nothing is set aside for what a count promises before its bytes are there.
struct CBORReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The value that all of the bytes are.
  mutating func readAll() throws(CBORError) -> Value {
    let value = try read(depth: 0)
    guard position == bytes.count else { throw .goesOn(at: position) }
    return value
  }

  // MARK: Items

  private struct Head {
    var place: Int
    var major: Major
    /// The lower five bits.
    var information: UInt8
    /// What these say, or what stands behind them; 0 for an indefinite length.
    var argument: UInt64

    var isIndefinite: Bool { information == 31 }
    /// It ends something whose length was not told.
    var isBreak: Bool { major == .simple && isIndefinite }
  }

  private mutating func read(depth: Int) throws(CBORError) -> Value {
    let head = try readHead()
    guard !head.isBreak else { throw .malformed(at: head.place) }
    return try read(head, depth: depth)
  }

  private mutating func read(_ head: Head, depth: Int) throws(CBORError) -> Value {
    switch head.major {
    case .unsigned: return .integer(Int128(head.argument))
    case .negative: return .integer(-1 - Int128(head.argument))
    case .bytes:
      return .bytes(try readString(head) { reader, range, _ throws(CBORError) in Array(reader.bytes[range]) })
    case .text:
      return .text(
        try readString(head) { reader, range, place throws(CBORError) in
          guard let text = String(validating: reader.bytes[range], as: UTF8.self) else {
            throw .textIsNotUTF8(at: place)
          }
          return text
        })
    case .list: return .list(try readList(head, depth: CBOR.deeper(than: depth)))
    case .dictionary: return .dictionary(try readDictionary(head, depth: CBOR.deeper(than: depth)))
    case .tag: return .tagged(head.argument, try read(depth: CBOR.deeper(than: depth)))
    case .simple: return try simple(head)
    }
  }

  private mutating func readHead() throws(CBORError) -> Head {
    let place = position
    let first = try readByte()
    guard let major = Major(rawValue: first >> 5) else { throw .malformed(at: place) }
    var head = Head(place: place, major: major, information: first & 0x1f, argument: 0)
    switch head.information {
    case 0..<24: head.argument = UInt64(head.information)
    case 24..<28: head.argument = try readNumber(1 << (Int(head.information) - 24))
    case 31:
      // Numbers and tags have no length that could be left open.
      switch major {
      case .bytes, .text, .list, .dictionary, .simple: break
      case .unsigned, .negative, .tag: throw .malformed(at: place)
      }
    default: throw .malformed(at: place)
    }
    return head
  }

  /// The pieces of a string: one, or many in a row where its length was not told.
  private mutating func readString<S: RangeReplaceableCollection>(
    _ head: Head, _ take: (Self, Range<Int>, _ place: Int) throws(CBORError) -> S
  ) throws(CBORError) -> S {
    guard head.isIndefinite else { return try take(self, readRange(head.argument), head.place) }
    var whole = S()
    while true {
      let piece = try readHead()
      if piece.isBreak { return whole }
      guard piece.major == head.major, !piece.isIndefinite else { throw .malformed(at: piece.place) }
      whole += try take(self, readRange(piece.argument), piece.place)
    }
  }

  private mutating func readList(_ head: Head, depth: Int) throws(CBORError) -> [Value] {
    var elements: [Value] = []
    try readElements(head, bytesEach: 1) { reader, head throws(CBORError) in
      elements.append(try reader.read(head, depth: depth))
    }
    return elements
  }

  private mutating func readDictionary(_ head: Head, depth: Int) throws(CBORError) -> [Value: Value] {
    var entries: [Value: Value] = [:]
    try readElements(head, bytesEach: 2) { reader, head throws(CBORError) in
      let key = try reader.read(head, depth: depth)
      let end = reader.position
      guard entries.updateValue(try reader.read(depth: depth), forKey: key) == nil else { throw .repeatedKey(at: end) }
    }
    return entries
  }

  /// - Parameter bytesEach: what an element takes at least.
  private mutating func readElements(
    _ head: Head, bytesEach: Int, _ take: (inout Self, Head) throws(CBORError) -> Void
  ) throws(CBORError) {
    guard head.isIndefinite || head.argument <= UInt64((bytes.count - position) / bytesEach) else { throw .endsEarly }
    var count: UInt64 = 0
    while head.isIndefinite || count < head.argument {
      let element = try readHead()
      if element.isBreak {
        guard head.isIndefinite else { throw .malformed(at: element.place) }
        return
      }
      try take(&self, element)
      count += 1
    }
  }

  private func simple(_ head: Head) throws(CBORError) -> Value {
    switch head.information {
    case 20: return .bool(false)
    case 21: return .bool(true)
    case 22: return .null
    case 23: return .undefined
    case 24:
      // One below has a byte of its own (RFC 8949, section 3.3).
      guard head.argument >= 32 else { throw .malformed(at: head.place) }
      return .simple(UInt8(truncatingIfNeeded: head.argument))
    case 25: return .number(HalfFloat.value(of: UInt16(truncatingIfNeeded: head.argument)))
    case 26: return .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: head.argument))))
    case 27: return .number(Double(bitPattern: head.argument))
    default: return .simple(head.information)
    }
  }

  // MARK: Bytes

  private mutating func readByte() throws(CBORError) -> UInt8 {
    guard position < bytes.count else { throw .endsEarly }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func readNumber(_ count: Int) throws(CBORError) -> UInt64 {
    var number: UInt64 = 0
    for _ in 0..<count { number = number << 8 | UInt64(try readByte()) }
    return number
  }

  private mutating func readRange(_ count: UInt64) throws(CBORError) -> Range<Int> {
    guard count <= UInt64(bytes.count - position) else { throw .endsEarly }
    let start = position
    position += Int(count)
    return start..<position
  }
}
