/// The version of the protocol: `52 4B 00 01`, "RK" and a number.
package struct ProtocolVersion: Hashable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }
  package static let v1 = ProtocolVersion(rawValue: 0x524b_0001)
  /// What this implementation speaks, best first.
  package static let supported = [v1]
}

/// The part of a long header that every version has (RFC 8999 §5.1): it lets versions tell each other apart.
package struct LongHeader: Sendable {
  package var firstByte: UInt8
  package var version: UInt32
  package var destination: ConnectionID
  package var source: ConnectionID
  /// Where the part that belongs to the version begins.
  package var payload: Int

  package static func isLong(_ firstByte: UInt8) -> Bool { firstByte & 0x80 != 0 }

  package init(_ datagram: RawSpan) throws(WireError) {
    var position = 0
    firstByte = try datagram.readByte(at: &position)
    guard Self.isLong(firstByte) else { throw .malformed }
    version = try datagram.readInteger(at: &position)
    destination = try Self.readID(datagram, at: &position)
    source = try Self.readID(datagram, at: &position)
    payload = position
  }

  private static func readID(_ datagram: RawSpan, at position: inout Int) throws(WireError) -> ConnectionID {
    let count = Int(try datagram.readByte(at: &position))
    guard count <= ConnectionID.maximumCount else { throw .malformed }
    return try ConnectionID(datagram, datagram.readRange(count, at: &position))
  }

  package static func write(
    firstByte: UInt8, version: UInt32, destination: ConnectionID, source: ConnectionID
  ) -> [UInt8] {
    var bytes: [UInt8] = [firstByte]
    bytes.append(bigEndian: version)
    bytes.append(UInt8(destination.count))
    bytes += destination.bytes
    bytes.append(UInt8(source.count))
    bytes += source.bytes
    return bytes
  }
}

/// The answer to a version that a server does not speak (RFC 8999 §6): version 0, ids swapped, the versions it has.
package enum VersionNegotiation {
  package static func write(answering header: LongHeader, versions: [ProtocolVersion]) -> [UInt8] {
    var bytes = LongHeader.write(
      firstByte: 0x80, version: 0, destination: header.source, source: header.destination)
    for version in versions { bytes.append(bigEndian: version.rawValue) }
    return bytes
  }

  /// The versions listed behind a header of version 0.
  package static func read(_ datagram: RawSpan, _ header: LongHeader) throws(WireError) -> [ProtocolVersion] {
    var position = header.payload
    var versions: [ProtocolVersion] = []
    // At most a datagram's worth: a few hundred.
    while position < datagram.byteCount {
      versions.append(ProtocolVersion(rawValue: try datagram.readInteger(at: &position)))
    }
    guard !versions.isEmpty else { throw .malformed }
    return versions
  }
}
