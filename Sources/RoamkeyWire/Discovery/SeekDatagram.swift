/// The first byte of each datagram of discovery (PROTOCOL §15.1).
package enum DiscoveryKind: UInt8, Sendable {
  case seek = 0xc0
  case beacon = 0xd0

  /// What both begin with: the header of all versions, with two empty connection ids.
  var header: [UInt8] {
    LongHeader.write(
      firstByte: rawValue, version: ProtocolVersion.v1.rawValue, destination: ConnectionID(), source: ConnectionID())
  }

  /// Reads such a header.
  /// - Returns: where it ends.
  func readHeader(_ datagram: RawSpan) throws(WireError) -> Int {
    let header = try LongHeader(datagram)
    guard header.firstByte == rawValue, header.version == ProtocolVersion.v1.rawValue, header.destination.count == 0,
      header.source.count == 0
    else { throw .malformed }
    return header.payload
  }
}

/// Who is there? `C0 ‖ version4 ‖ 00 ‖ 00 ‖ nonce16 ‖ a1 ‖ application ‖ zeros`, exactly 512 bytes (PROTOCOL §15.1).
package struct SeekDatagram: Hashable, Sendable {
  /// A question is padded, so that no answer is longer.
  package static let size = 512
  /// The longest name of an application.
  package static let longestApplication = 255

  /// What the answers repeat: fresh for each question.
  package var nonce: UInt128
  /// What is played; nil: whatever it is.
  package var application: String?

  /// - Parameter application: 1 to 255 bytes of UTF-8.
  package init(nonce: UInt128, application: String?) {
    self.nonce = nonce
    self.application = application
  }

  package init(_ datagram: RawSpan) throws(WireError) {
    guard datagram.byteCount == Self.size else { throw .malformed }
    var position = try DiscoveryKind.seek.readHeader(datagram)
    nonce = try datagram.readInteger(at: &position)
    let count = Int(try datagram.readByte(at: &position))
    let range = try datagram.readRange(count, at: &position)
    guard count > 0 else { return }
    guard let text = datagram.extracting(range).text else { throw .malformed }
    application = text
  }

  /// All 512 bytes.
  package func encoded() -> [UInt8] {
    var bytes = DiscoveryKind.seek.header
    bytes.append(bigEndian: nonce)
    let application = Array((application ?? "").utf8)
    precondition(application.count <= Self.longestApplication, "an application's name has at most 255 bytes")
    bytes.append(UInt8(application.count))
    bytes += application
    bytes += Array(repeating: 0, count: Self.size - bytes.count)
    return bytes
  }
}
