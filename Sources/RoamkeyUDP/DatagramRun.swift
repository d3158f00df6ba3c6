internal import Glibc

/// Datagrams to one peer that the system is given in one piece, to cut them up by itself (UDP_SEGMENT): all of one
/// size, but the last, which may be shorter.
struct DatagramRun {
  /// Datagrams; what every Linux that knows runs takes.
  static let most = 64
  /// Bytes of all of them: a datagram over IPv4 holds no more.
  static let mostBytes = 65_507

  private(set) var count = 1
  private let size: Int
  private var bytes: Int
  private var isComplete: Bool

  init(first size: Int) {
    self.size = size
    bytes = size
    // An empty datagram is none when it is cut out.
    isComplete = size == 0
  }

  /// Adds a datagram of `next` bytes, if it can be one of the run.
  mutating func join(_ next: Int) -> Bool {
    guard !isComplete, next > 0, next <= size, count < Self.most, next <= Self.mostBytes - bytes else { return false }
    count += 1
    bytes += next
    isComplete = next < size
    return true
  }

  /// Whether the system may say this of a run whose datagrams it would take one by one: what it does not know, a device
  /// that computes no checksums, a tunnel that encrypts, a limit on the whole. Anything else (no memory, no way, a
  /// firewall) may pass.
  static func mayBeRefused(with number: CInt) -> Bool {
    switch number {
    case EIO, EINVAL, EOPNOTSUPP, EMSGSIZE, ENOPROTOOPT: true
    default: false
    }
  }
}

/// What was received in one piece (UDP_GRO), and how it is cut into its datagrams again.
struct ReceivedRun {
  private let bytes: Int
  /// Bytes of each datagram but the last.
  private let size: Int
  private var offset = 0
  private(set) var isEmpty: Bool

  /// Nothing.
  init() {
    (bytes, size, isEmpty) = (0, 0, true)
  }

  /// - Parameters:
  ///   - bytes: of the whole.
  ///   - segmentSize: what the system says that each datagram has; where that makes no sense, the whole is one.
  init(bytes: Int, segmentSize: Int) {
    self.bytes = bytes
    isEmpty = false
    size = segmentSize > 0 && segmentSize < bytes ? segmentSize : bytes
  }

  /// Whether it is more than one datagram.
  var isJoined: Bool { size < bytes }

  /// Takes out the next datagram, which may be an empty one.
  /// - Returns: where it lies; nil when there is none left.
  mutating func next() -> Range<Int>? {
    guard !isEmpty else { return nil }
    let start = offset
    offset = bytes - offset > size ? offset + size : bytes
    isEmpty = offset == bytes
    return start..<offset
  }
}
