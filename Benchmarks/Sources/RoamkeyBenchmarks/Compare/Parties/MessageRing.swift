internal import BenchmarkSockets
internal import Glibc

/// Up to 64 datagrams a call: sendmmsg(2), recvmmsg(2).
final class MessageRing: RawRing {
  private static let capacity = 64
  private static let slotSize = 2048

  private let descriptor: CInt
  private let outgoing: Side
  private let incoming: Side
  private var count = 0

  init(_ descriptor: CInt) { (self.descriptor, outgoing, incoming) = (descriptor, Side(), Side()) }

  /// With the memory of another one, which holds nothing between two calls.
  init(sharing other: MessageRing, _ descriptor: CInt) {
    (self.descriptor, outgoing, incoming) = (descriptor, other.outgoing, other.incoming)
  }

  /// The memory of one direction.
  private struct Side {
    let slots = UnsafeMutableRawPointer.allocate(byteCount: capacity * slotSize, alignment: 64)
    let names = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: capacity)
    let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity)
    let headers = UnsafeMutablePointer<bench_mmsghdr>.allocate(capacity: capacity)

    init() {
      for i in 0..<capacity {
        (names + i).initialize(to: sockaddr_in())
        (vectors + i).initialize(to: iovec(iov_base: slots + i * slotSize, iov_len: slotSize))
        (headers + i).initialize(to: bench_mmsghdr())
        headers[i].msg_hdr.msg_name = UnsafeMutableRawPointer(names + i)
        headers[i].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        headers[i].msg_hdr.msg_iov = vectors + i
        headers[i].msg_hdr.msg_iovlen = 1
      }
    }
  }

  // The process ends with its party, so the memory is not given back.

  func send(_ bytes: UnsafeRawBufferPointer, to name: sockaddr_in) {
    guard let base = bytes.baseAddress else { return }
    outgoing.vectors[count].iov_base.copyMemory(from: base, byteCount: bytes.count)
    outgoing.vectors[count].iov_len = bytes.count
    outgoing.names[count] = name
    count += 1
    if count == Self.capacity { flush() }
  }

  func flush() {
    var sent = 0
    while sent < count {
      let result = bench_sendmmsg(descriptor, outgoing.headers + sent, UInt32(count - sent), 0)
      if result > 0 {
        sent += Int(result)
      } else if errno == EAGAIN {
        DatagramSocket.waitForRoom(descriptor)
      } else {
        // What the system refuses is lost.
        sent += 1
      }
    }
    count = 0
  }

  func receive(_ take: (UnsafeRawBufferPointer) -> Void) -> sockaddr_in? {
    receive(named: { bytes, _ in take(bytes) }) ? incoming.names[0] : nil
  }

  /// The same with the sender of each.
  /// - Returns: whether there was something.
  func receive(named take: (UnsafeRawBufferPointer, sockaddr_in) -> Void) -> Bool {
    let result = bench_recvmmsg(
      descriptor, incoming.headers, UInt32(Self.capacity), CInt(MSG_DONTWAIT), nil)
    guard result > 0 else { return false }
    for i in 0..<Int(result) {
      let size = Int(incoming.headers[i].msg_len)
      take(UnsafeRawBufferPointer(start: incoming.vectors[i].iov_base, count: size), incoming.names[i])
    }
    return true
  }
}
