internal import BenchmarkSockets
internal import Glibc

/// What a flood consists of.
enum FloodKind: String, Sendable {
  case garbage, hellos
}

/// Datagrams of a flood, made before it begins: to send them is then all there is to do.
final class FloodStock {
  static let count = 1024
  private static let room = 1400
  /// Of a Hello: the header with a connection id of the server and none of the client, cookie and mac of zeros, a key.
  private static let helloPrefix: [UInt8] = [0x80, 0x52, 0x4b, 0, 1, 8]
  private static let helloSize = 1200

  private let kind: FloodKind
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count * room, alignment: 16)
  private var sizes: [Int] = []
  private var random: SeededRandom

  init(_ kind: FloodKind, seed: UInt64) {
    self.kind = kind
    random = SeededRandom(seed: seed)
    for index in 0..<Self.count {
      let bytes = Self.datagram(kind, &random)
      UnsafeMutableRawBufferPointer(rebasing: memory[(index * Self.room)...]).copyBytes(from: bytes)
      sizes.append(bytes.count)
    }
  }

  deinit { memory.deallocate() }

  /// The next datagram, from one of so many addresses. No two are alike: what was seen before may be cheaper to refuse.
  func next(from sources: Int) -> bench_forged {
    let index = Int(random.next() % UInt64(Self.count))
    let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[index * Self.room..<index * Self.room + sizes[index]])
    switch kind {
    case .garbage:
      // The first byte tells what it seems to be, so it stays.
      if bytes.count > 9 { bytes.storeBytes(of: random.next(), toByteOffset: 1 + bytes.count % 2, as: UInt64.self) }
    case .hellos:
      // Connection id and key; any 32 bytes are a key.
      bytes.storeBytes(of: random.next(), toByteOffset: Self.helloPrefix.count, as: UInt64.self)
      let key = Self.helloPrefix.count + 8 + 1 + 20 + 16
      for word in 0..<4 { bytes.storeBytes(of: random.next(), toByteOffset: key + 8 * word, as: UInt64.self) }
    }
    // 127.1.0.0 and on: whatever begins with 127 is this machine.
    let source = 0x7f01_0000 + UInt32(random.next() % UInt64(sources))
    return bench_forged(bytes: bytes.baseAddress, size: UInt32(bytes.count), source: source.bigEndian)
  }

  private static func datagram(_ kind: FloodKind, _ random: inout SeededRandom) -> [UInt8] {
    switch kind {
    case .hellos: return helloPrefix + [UInt8](repeating: 0, count: helloSize - helloPrefix.count)
    case .garbage:
      let size = 1 + Int(random.next() % UInt64(room))
      let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      switch random.next() % 4 {
      case 0: return bytes
      // As packets begin, to ids that nobody has.
      case 1: return [bytes[0] & 0x1f] + bytes.dropFirst()
      // A Finish, and a Hello of a later version.
      case 2: return ([0xb0, 0x52, 0x4b, 0, 1, 8] + bytes).prefix(room) + []
      default: return ([0x80, 0x52, 0x4b, 0, 9, 8] + bytes).prefix(room) + []
      }
    }
  }
}
