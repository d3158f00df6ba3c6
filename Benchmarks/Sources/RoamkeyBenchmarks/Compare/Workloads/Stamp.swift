/// What the first bytes of each message of a comparison say, little endian.
enum Stamp {
  /// Number and peer.
  static let size = 12
  /// The number of the last message of a stream.
  static let end = UInt64.max

  static func write(_ number: UInt64, peer: UInt32 = 0, into bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { bytes in
      bytes.storeBytes(of: number.littleEndian, as: UInt64.self)
      bytes.storeBytes(of: peer.littleEndian, toByteOffset: 8, as: UInt32.self)
    }
  }

  static func number(of bytes: UnsafeRawBufferPointer) -> UInt64 {
    bytes.count < size ? 0 : UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
  }

  static func peer(of bytes: UnsafeRawBufferPointer) -> UInt32 {
    bytes.count < size ? 0 : UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
  }
}
