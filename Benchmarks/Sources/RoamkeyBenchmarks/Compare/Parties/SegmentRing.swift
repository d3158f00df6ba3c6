internal import BenchmarkSockets
internal import Glibc

/// A run of datagrams of one size a call, cut and joined by the kernel: UDP_SEGMENT (GSO), UDP_GRO.
final class SegmentRing: RawRing {
  /// Of the kernel: datagrams a run, and bytes of all of them.
  private static let segmentLimit = 64
  private static let byteLimit = 65_000

  private let descriptor: CInt
  private let outgoing = UnsafeMutableRawPointer.allocate(byteCount: byteLimit, alignment: 64)
  private let incoming = UnsafeMutableRawPointer.allocate(byteCount: DatagramSocket.maximumSize, alignment: 64)
  private var size = 0
  private var count = 0
  private var segment = 0
  /// A shorter one ends its run.
  private var isEnded = false
  private var name = sockaddr_in()

  init(_ descriptor: CInt) throws(BenchmarkFailure) {
    self.descriptor = descriptor
    guard bench_enable_runs(descriptor) == 0 else { throw .system("no UDP_GRO") }
  }

  func send(_ bytes: UnsafeRawBufferPointer, to name: sockaddr_in) {
    guard let base = bytes.baseAddress else { return }
    let fits =
      !isEnded && bytes.count <= segment && count < Self.segmentLimit && size + bytes.count <= Self.byteLimit
    if count > 0 && !fits { flush() }
    if count == 0 { (segment, self.name) = (bytes.count, name) }
    (outgoing + size).copyMemory(from: base, byteCount: bytes.count)
    size += bytes.count
    count += 1
    isEnded = bytes.count < segment
  }

  func flush() {
    while count > 0, bench_send_run(descriptor, &name, outgoing, size, UInt16(segment)) < 0, errno == EAGAIN {
      DatagramSocket.waitForRoom(descriptor)
    }
    (size, count, isEnded) = (0, 0, false)
  }

  func receive(_ take: (UnsafeRawBufferPointer) -> Void) -> sockaddr_in? {
    var from = sockaddr_in()
    var segment: CInt = 0
    let size = bench_receive_run(descriptor, &from, incoming, DatagramSocket.maximumSize, &segment)
    guard size > 0 else { return nil }
    var offset = 0
    while offset < size {
      let length = min(max(1, Int(segment)), size - offset)
      take(UnsafeRawBufferPointer(start: incoming + offset, count: length))
      offset += length
    }
    return from
  }
}
