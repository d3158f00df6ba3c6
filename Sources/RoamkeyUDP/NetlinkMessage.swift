internal import RoamkeySockets

/// One message among those that a netlink socket gave: where it stands, without copies.
///
/// The kernel's words are taken like any others: a length that does not fit ends the reading, and traps nothing.
struct NetlinkMessage: Equatable {
  var type: UInt16
  var flags: UInt16
  var sequence: UInt32
  /// What follows the header, without padding.
  var payload: Range<Int>

  /// Reads the message at `offset` and moves behind it; nil where there is none (any more).
  static func next(in bytes: RawSpan, at offset: inout Int) -> NetlinkMessage? {
    let headerSize = MemoryLayout<nlmsghdr>.size
    let remaining = bytes.byteCount - offset
    guard remaining >= headerSize else { return nil }
    let header = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
    let length = Int(header.nlmsg_len)
    guard length >= headerSize, length <= remaining else { return nil }
    let payload = offset + headerSize..<offset + length
    offset += min(NetlinkAttribute.aligned(length), remaining)
    return NetlinkMessage(
      type: header.nlmsg_type, flags: header.nlmsg_flags, sequence: header.nlmsg_seq, payload: payload)
  }
}

/// A typed value inside a message.
struct NetlinkAttribute: Equatable {
  var type: UInt16
  var value: Range<Int>

  /// Reads the first attribute of `rest` and leaves those behind it; nil where there is none (any more).
  static func next(in bytes: RawSpan, from rest: inout Range<Int>) -> NetlinkAttribute? {
    let headerSize = MemoryLayout<rtattr>.size
    guard rest.count >= headerSize else { return nil }
    let header = bytes.unsafeLoadUnaligned(fromByteOffset: rest.lowerBound, as: rtattr.self)
    let length = Int(header.rta_len)
    guard length >= headerSize, length <= rest.count else { return nil }
    let value = rest.lowerBound + headerSize..<rest.lowerBound + length
    rest = rest.lowerBound + min(aligned(length), rest.count)..<rest.upperBound
    // The upper bits say that attributes are nested inside, or the byte order.
    return NetlinkAttribute(type: header.rta_type & ROAMKEY_NLA_TYPE_MASK, value: value)
  }

  /// Messages and attributes begin at multiples of four bytes.
  static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}

/// A request, built from fixed part to attributes.
struct NetlinkRequest {
  private(set) var bytes: [UInt8] = []

  /// A header, and `body`: the structure that the kernel expects for the type.
  init<Body: BitwiseCopyable>(_ type: UInt16, flags: UInt16, body: Body) {
    append(nlmsghdr(nlmsg_len: 0, nlmsg_type: type, nlmsg_flags: flags, nlmsg_seq: 0, nlmsg_pid: 0))
    append(body)
  }

  /// Adds `value` (of some bytes) as an attribute.
  mutating func add<Value: BitwiseCopyable>(_ type: UInt16, _ value: Value) {
    let length = UInt16(MemoryLayout<rtattr>.size + MemoryLayout<Value>.size)
    append(rtattr(rta_len: length, rta_type: type))
    append(value)
  }

  /// The bytes to send, with `sequence` as what the answers repeat.
  func numbered(_ sequence: UInt32) -> [UInt8] {
    var result = bytes
    result.withUnsafeMutableBytes { raw in
      var header = raw.loadUnaligned(as: nlmsghdr.self)
      header.nlmsg_len = UInt32(raw.count)
      header.nlmsg_seq = sequence
      raw.storeBytes(of: header, as: nlmsghdr.self)
    }
    return result
  }

  private mutating func append<Value: BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    while bytes.count % 4 != 0 { bytes.append(0) }
  }
}
