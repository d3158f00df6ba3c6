internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// A plain UDP socket over IPv4, for what is not Roamkey's own in the demo: the router and the replayer.
struct DemoSocket: ~Copyable {
  let descriptor: CInt

  /// Bound to `address`.
  init(_ address: NetworkAddress) throws(Failure) {
    descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    let isBound = descriptor >= 0 && Self.with(address) { bind(descriptor, $0, $1) } == 0
    guard isBound else {
      let words = TextFile.systemWords()
      if descriptor >= 0 { close(descriptor) }
      throw Failure(
        code: "demo",
        "the demo cannot use the loopback address \(address) (\(words)): it needs 127.0.0.0/8, as on Linux")
    }
  }

  deinit { close(descriptor) }

  /// Where it is, with the port that the system chose.
  var address: NetworkAddress {
    var name = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &name) { pointer in
      _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return Self.address(name)
  }

  /// What is lost here is lost, as anywhere with UDP.
  func send(_ bytes: ArraySlice<UInt8>, to address: NetworkAddress) {
    bytes.withUnsafeBytes { bytes in
      _ = Self.with(address) { sendto(descriptor, bytes.baseAddress, bytes.count, 0, $0, $1) }
    }
  }

  /// A datagram and where it came from; nil when none waits.
  func receive(into buffer: inout [UInt8]) -> (count: Int, from: NetworkAddress)? {
    var name = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        recvfrom(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT), $0, &size)
      }
    }
    return count >= 0 ? (count, Self.address(name)) : nil
  }

  private static func with<R>(_ address: NetworkAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = address.port.bigEndian
    name.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.ip).bigEndian
    return withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  private static func address(_ name: sockaddr_in) -> NetworkAddress {
    let ip = UInt32(bigEndian: name.sin_addr.s_addr)
    return NetworkAddress(
      ipv4: UInt8(ip >> 24), UInt8(ip >> 16 & 255), UInt8(ip >> 8 & 255), UInt8(ip & 255),
      port: UInt16(bigEndian: name.sin_port))
  }
}
