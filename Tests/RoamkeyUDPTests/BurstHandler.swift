import RoamkeyEngine
import RoamkeyWire
import Synchronization

@testable import RoamkeyUDP

/// Exchanges numbered datagrams of known contents with another of its kind, a window of them under way at a time.
///
/// One with `remaining` asks; one without answers with what it got. Allocates nothing per datagram.
final class BurstHandler: DatagramHandler {
  final class Counters: Sendable {
    let received = Atomic(0)
    let corrupt = Atomic(0)
  }

  let counters: Counters
  let window: Int
  let size: Int
  let target: NetworkAddress?
  private var nextNumber = 0
  private var remaining: Int
  private var underWay = 0
  private var answers: [(number: UInt64, path: NetworkPath)] = []
  private var answered = 0

  init(counters: Counters, asks: Int = 0, of size: Int = 200, window: Int = 256, target: NetworkAddress? = nil) {
    self.counters = counters
    self.window = window
    self.size = size
    self.target = target
    remaining = asks
    answers.reserveCapacity(4096)
  }

  func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    let number = datagram.withUnsafeBytes { bytes -> UInt64? in
      guard bytes.count == size else { return nil }
      let number = bytes.loadUnaligned(as: UInt64.self)
      for i in 8..<size where bytes[i] != UInt8(truncatingIfNeeded: number &+ UInt64(i)) { return nil }
      return number
    }
    _ = datagram.withUnsafeMutableBytes { $0.initializeMemory(as: UInt8.self, repeating: 0xee) }
    guard let number else {
      counters.corrupt.add(1, ordering: .relaxed)
      return
    }
    counters.received.add(1, ordering: .relaxed)
    underWay -= 1
    if target == nil { answers.append((number, path)) }
  }

  func handleTimeout(now: Instant) {}
  var nextTimeout: Instant? { nil }

  func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    if let target {
      guard remaining > 0, underWay < window else { return nil }
      remaining -= 1
      underWay += 1
      nextNumber += 1
      write(UInt64(nextNumber), &output)
      return NetworkPath(local: .any(port: 0), remote: target)
    }
    guard answered < answers.count else {
      answers.removeAll(keepingCapacity: true)
      answered = 0
      return nil
    }
    defer { answered += 1 }
    write(answers[answered].number, &output)
    return answers[answered].path
  }

  private func write(_ number: UInt64, _ output: inout OutputRawSpan) {
    output.append(number, as: UInt64.self)
    for i in 8..<size { output.append(UInt8(truncatingIfNeeded: number &+ UInt64(i))) }
  }

  /// Forgets what is under way, and asks for more.
  func ask(for count: Int) {
    underWay = 0
    remaining += count
  }
}

typealias BurstDriver = UDPDriver<BurstHandler>
