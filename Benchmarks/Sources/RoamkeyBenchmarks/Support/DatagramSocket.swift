internal import BenchmarkSockets
internal import Glibc

/// A UDP socket on 127.0.0.1, for what is no library's own: relay, raw peer and flood. All is on one machine, so a port
/// is all there is to an address.
final class DatagramSocket: Sendable {
  /// What is known of a datagram besides its bytes.
  struct Arrival {
    var size: Int
    var from: UInt16
    /// When the kernel took it, however late it was read.
    var time: Monotonic
    /// Datagrams that this socket has lost so far because they were not read in time.
    var overruns: UInt32
  }

  /// No datagram of any contestant is larger.
  static let maximumSize = 65_536

  let descriptor: CInt
  let port: UInt16

  /// - Parameters:
  ///   - peer: the only port it is to talk to.
  ///   - stamps: whether `receive` is to tell when the kernel took a datagram.
  ///   - everywhere: on all addresses of this machine, so that it may send from any of them.
  init(connectedTo peer: UInt16? = nil, stamps: Bool = true, everywhere: Bool = false) throws(BenchmarkFailure) {
    let descriptor = socket(AF_INET, BENCH_SOCK_DGRAM, 0)
    guard descriptor >= 0 else { throw .system("no socket") }
    // A burst of a whole congestion window must not be lost here: what is lost is what the relay decides.
    var size: CInt = 8 << 20
    let length = socklen_t(MemoryLayout<CInt>.size)
    if setsockopt(descriptor, SOL_SOCKET, BENCH_SO_RCVBUFFORCE, &size, length) != 0 {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length)
    }
    var port: UInt16 = 0
    let isReady =
      (!stamps || bench_enable_stamps(descriptor) == 0)
      && Self.with(port: 0, everywhere: everywhere, { bind(descriptor, $0, $1) }) == 0
      && (peer.map { Self.with(port: $0) { connect(descriptor, $0, $1) } } ?? 0) == 0
      && Self.localPort(descriptor, &port)
    guard isReady else {
      let failure = BenchmarkFailure.system("no UDP socket on 127.0.0.1")
      close(descriptor)
      throw failure
    }
    self.descriptor = descriptor
    self.port = port
  }

  deinit { close(descriptor) }

  /// Sends to `port`, or to the peer it is connected to. What the system refuses is lost, as on any network.
  /// - Returns: whether the system took it.
  @discardableResult
  func send(_ bytes: [UInt8], to port: UInt16? = nil) -> Bool {
    let count = bytes.withUnsafeBytes { bytes in
      guard let port else { return Glibc.send(descriptor, bytes.baseAddress, bytes.count, 0) }
      return Self.with(port: port) { sendto(descriptor, bytes.baseAddress, bytes.count, 0, $0, $1) }
    }
    return count == bytes.count
  }

  /// A datagram, if one waits.
  func receive(into buffer: inout [UInt8]) -> Arrival? {
    var stamp = bench_stamp()
    let size = bench_receive(descriptor, &buffer, buffer.count, &stamp)
    guard size >= 0 else { return nil }
    let now = Monotonic.now
    // A clock that is set at this very moment must not put an arrival into the future.
    let stamped = Monotonic(nanoseconds: stamp.realtime) + Monotonic.realtimeOffset
    return Arrival(
      size: size, from: UInt16(bigEndian: stamp.from.sin_port), time: stamp.realtime == 0 ? now : min(now, stamped),
      overruns: stamp.overruns)
  }

  /// Returns when one of `descriptors` can be read, or after `limit`; at once when that is not above zero.
  static func wait(for descriptors: inout [pollfd], atMost limit: Duration) {
    guard limit > .zero else { return }
    let nanoseconds = Int(limit.wholeNanoseconds)
    var time = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    _ = bench_ppoll(&descriptors, nfds_t(descriptors.count), &time, nil)
  }

  /// The same for one socket.
  static func wait(for descriptor: CInt, atMost limit: Duration) {
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    wait(for: &descriptors, atMost: limit)
  }

  /// Returns when there is room for more to send.
  static func waitForRoom(_ descriptor: CInt) {
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]
    wait(for: &descriptors, atMost: .seconds(1))
  }

  /// A port of 127.0.0.1 as the system writes it.
  static func name(port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return name
  }

  private static func with<R>(
    port: UInt16, everywhere: Bool = false, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
  ) -> R {
    var name = name(port: port)
    if everywhere { name.sin_addr.s_addr = 0 }
    return withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private static func localPort(_ descriptor: CInt, _ port: inout UInt16) -> Bool {
    var name = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    port = UInt16(bigEndian: name.sin_port)
    return result == 0
  }
}
