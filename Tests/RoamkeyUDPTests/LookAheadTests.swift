import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Notes in which order a driver shows a batch and hands it over.
final class LookingHandler: DatagramHandler {
  enum Step: Equatable {
    case seen([UInt8])
    case begun
    case received([UInt8])
    case ended
  }

  let steps: Locked<[Step]>
  let looks: Bool

  init(_ steps: Locked<[Step]>, looks: Bool = true) {
    self.steps = steps
    self.looks = looks
  }

  var looksAhead: Bool { looks }
  func lookAhead(at datagram: RawSpan) { note(.seen(datagram.withUnsafeBytes { Array($0) })) }
  func beginBatch() { note(.begun) }
  func endBatch() { note(.ended) }

  func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    note(.received(datagram.withUnsafeBytes { Array($0) }))
    datagram.withUnsafeMutableBytes { for i in $0.indices { $0[i] = 0xee } }
  }

  func handleTimeout(now: Instant) {}
  var nextTimeout: Instant? { nil }
  func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? { nil }

  private func note(_ step: Step) { steps.withLock { $0.append(step) } }
}

/// A handler is shown each batch before it gets it.
@Suite(.realTime, .timeLimit(.minutes(40)))
struct LookAheadTests {
  /// The datagrams of each batch that was shown, after a look at its form; and how many came without.
  private static func batches(_ steps: [LookingHandler.Step]) -> (shown: [[[UInt8]]], others: Int) {
    var (shown, seen, got, others, isOpen) = ([[[UInt8]]](), [[UInt8]](), [[UInt8]](), 0, false)
    for step in steps {
      switch step {
      case .seen(let bytes):
        #expect(!isOpen)
        seen.append(bytes)
      case .begun:
        #expect(!isOpen)
        isOpen = true
      case .received(let bytes):
        if isOpen { got.append(bytes) } else { others += 1 }
      case .ended:
        #expect(isOpen && seen == got, "what was shown is what comes, in its order")
        shown.append(got)
        (seen, got, isOpen) = ([], [], false)
      }
    }
    #expect(!isOpen && seen.isEmpty)
    return (shown, others)
  }

  /// Lone datagrams of many peers and runs of one, more than a turn takes, with some that are too long between them.
  @Test func aBatchIsShownFirst() async throws {
    let steps = Locked<[LookingHandler.Step]>([])
    let driver = try UDPDriver(
      bind: .loopback(1), name: "looks", handler: LookingHandler(steps), onTurn: { _, _ in })
    let senders = try (0..<40).map { _ in try makeEcho(.loopback(2), echoes: false).driver }
    let target = driver.localAddress
    // It is kept busy, so that they come together.
    let (isBusy, mayGoOn) = (Gate(), Gate())
    driver.perform { _, _ in
      isBusy.open()
      mayGoOn.wait()
    }
    isBusy.wait()
    for (i, sender) in senders.enumerated() {
      sender.perform { handler, _ in
        for k in 0..<(i % 8 == 0 ? 20 : 2) {
          handler.send("\(i) \(k) " + String(repeating: "x", count: 100), to: target)
        }
      }
    }
    let expected = 5 * 20 + 35 * 2
    try await eventually("all are sent") {
      senders.reduce(0) { $0 + $1.statistics.datagramsSent } == UInt64(expected)
    }
    mayGoOn.open()
    try await eventually("all have come") { driver.statistics.datagramsReceived == UInt64(expected) }
    driver.stop()
    let (shown, others) = Self.batches(steps.withLock { $0 })
    #expect(!shown.isEmpty && shown.reduce(0) { $0 + $1.count } + others == expected)
    #expect(shown.allSatisfy { $0.count >= 4 })
    for sender in senders { sender.stop() }
  }

  /// What other drivers hand over is a batch as well; a few are none, and who does not want to look is shown nothing.
  @Test func whatIsHandedOver() throws {
    let path = NetworkPath(local: .loopback(1, port: 7), remote: .loopback(2, port: 8))
    for looks in [true, false] {
      let inbox = try DatagramInbox()
      let steps = Locked<[LookingHandler.Step]>([])
      let handler = LookingHandler(steps, looks: looks)
      for count in [3, 4, 200] {
        for i in 0..<count { [UInt8(i), 1].withUnsafeBytes { inbox.post($0, path: path) } }
        inbox.deliver(to: handler, now: Instant(nanoseconds: 1))
      }
      let (shown, others) = Self.batches(steps.withLock { $0 })
      #expect(shown.map(\.count) == (looks ? [4, 200] : []) && others == (looks ? 3 : 207))
    }
  }
}
