import Glibc
import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Runs of datagrams through the rings and real sockets, without a loop. Loopback takes runs wherever Linux does.
@Suite(.realTime, .timeLimit(.minutes(40)))
struct RunTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  /// Rings, their sockets and what was counted.
  private final class Bench {
    let handler = EchoHandler(log: EchoHandler.Log(), echoes: false)
    let mailbox: Mailbox<EchoHandler>
    let sockets: SocketSet
    let poller: Poller
    var sending = SendRing()
    var receiving = ReceiveRing()
    var statistics = SocketStatistics()
    let start: Instant

    init(_ socket: UDPSocket, start: Instant) throws {
      mailbox = try Mailbox(socket: socket)
      let poller = try Poller(bell: mailbox.bell.number)
      sockets = try SocketSet(main: socket, poller: poller)
      self.poller = poller
      self.start = start
    }

    /// Sends numbered datagrams of these sizes, all of them.
    func send(_ datagrams: [(size: Int, to: NetworkAddress)]) throws {
      for (i, datagram) in datagrams.enumerated() {
        handler.queue.append(
          (RunTests.pattern(i, datagram.size), NetworkPath(local: .any(port: 0), remote: datagram.to)))
      }
      var more = true
      while more {
        more = sending.fill(from: handler, for: sockets, now: start, statistics: &statistics)
        let blocked = sending.flush(to: sockets, statistics: &statistics)
        try #require(blocked == nil)
      }
    }

    /// All that waits at `socket`, at most `limit` at a time.
    func receive(from socket: UDPSocket, limit: Int = .max) -> [(bytes: [UInt8], path: NetworkPath)] {
      let log = EchoHandler.Log()
      let handler = EchoHandler(log: log, echoes: false)
      var before = -1
      while log.received.withLock({ $0.count }) > before {
        before = log.received.withLock { $0.count }
        _ = receiving.receive(from: socket, statistics: &statistics)
        while !receiving.isEmpty {
          let count = receiving.deliver(to: handler, limit: limit, now: start, statistics: &statistics)
          #expect(count <= limit)
        }
      }
      return log.received.withLock { $0 }
    }
  }

  private static func pattern(_ number: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
  }

  private static func pattern(_ sizes: [Int]) -> [[UInt8]] { sizes.enumerated().map { pattern($0, $1) } }

  /// Runs, single ones, an empty one and a last one that is shorter, in batches of 64.
  private static let sizes =
    Array(repeating: 1200, count: 10) + [700] + [1200, 1200, 1400, 0, 5, 5, 4, 4]
    + Array(repeating: 300, count: 150)

  @Test(
    arguments: [(true, true), (true, false), (false, true), (false, false)], [NetworkAddress.loopback(1), .loopback6()])
  func aBurstArrivesWholeAndInOrder(_ joins: (sender: Bool, receiver: Bool), _ address: NetworkAddress) throws {
    let peer = try UDPSocket(bind: address, joinsRuns: joins.receiver)
    let bench = try Bench(UDPSocket(bind: .any(port: 0), joinsRuns: joins.sender), start: start)
    try bench.send(Self.sizes.map { ($0, peer.localAddress) })
    let received = bench.receive(from: peer, limit: 7)
    #expect(received.map(\.bytes) == Self.pattern(Self.sizes))
    let statistics = bench.statistics
    #expect(statistics.datagramsSent == UInt64(Self.sizes.count) && statistics.datagramsReceived == 169)
    #expect(statistics.bytesSent == UInt64(Self.sizes.reduce(0, +)) && statistics.bytesReceived == statistics.bytesSent)
    // 10 and 1 of 1200; 2 of 1200; 5, 5, 4; then 45, 64 and 41 of 300, by the batch.
    #expect(statistics.runsSent == (joins.sender ? 6 : 0))
    #expect(statistics.datagramsSentInRuns == (joins.sender ? 11 + 2 + 3 + 150 : 0))
    if joins.sender && joins.receiver {
      #expect(statistics.runsReceived >= 1 && statistics.datagramsReceivedInRuns >= statistics.datagramsSentInRuns)
    } else if !joins.receiver {
      #expect(statistics.runsReceived == 0 && statistics.datagramsReceivedInRuns == 0)
    }
    #expect(statistics.truncated + statistics.runsRefused + statistics.sendFailures.total == 0)
  }

  /// A run ends where another peer, or another source, begins.
  @Test func mixedPeers() throws {
    let peers = [
      try UDPSocket(bind: .loopback(1)), try UDPSocket(bind: .loopback6()), try UDPSocket(bind: .loopback(2)),
    ]
    let bench = try Bench(UDPSocket(bind: .any(port: 0)), start: start)
    // Three each, then one each.
    let order = [0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 1, 2, 0, 1, 2]
    try bench.send(order.map { (900, peers[$0].localAddress) })
    #expect(bench.statistics.runsSent == 3 && bench.statistics.datagramsSentInRuns == 9)
    for (i, peer) in peers.enumerated() {
      let expected = order.indices.filter { order[$0] == i }.map { Self.pattern($0, 900) }
      let received = bench.receive(from: peer)
      #expect(received.map(\.bytes) == expected)
    }
    let sources = [NetworkAddress.loopback(8), .loopback(8), .loopback(9), .loopback(9), .any(port: 0)]
    for source in sources {
      bench.handler.queue.append(([1], NetworkPath(local: source, remote: peers[0].localAddress)))
    }
    try bench.send([])
    let received = bench.receive(from: peers[0])
    #expect(received.map(\.path.remote.ip) == (sources.dropLast() + [.loopback(1)]).map(\.ip))
    #expect(bench.statistics.runsSent == 5)
  }

  /// A socket that computes no checksums takes no runs (EINVAL), and every datagram alone. It leaves at once, none is
  /// lost or doubled, and no run is tried after that until the sockets change.
  @Test func aRefusalInMidstream() throws {
    let peer = try UDPSocket(bind: .loopback(1))
    let socket = try UDPSocket(bind: .any(port: 0))
    let bench = try Bench(socket, start: start)
    let sizes = Array(repeating: 500, count: 40) + [20] + Array(repeating: 600, count: 40) + [30]
    try bench.send(sizes.map { ($0, peer.localAddress) })
    let before = bench.statistics
    #expect(before.runsSent > 0 && before.runsRefused == 0)
    computeChecksums(false, socket)
    for _ in 0..<3 { try bench.send(sizes.map { ($0, peer.localAddress) }) }
    #expect(bench.statistics.runsRefused == 1 && bench.statistics.runsSent == before.runsSent)
    #expect(bench.statistics.sendFailures.total == 0 && bench.statistics.datagramsSent == UInt64(sizes.count * 4))
    let received = bench.receive(from: peer)
    #expect(received.map(\.bytes) == (0..<4).flatMap { _ in Self.pattern(sizes) })
    computeChecksums(true, socket)
    try bench.send(sizes.map { ($0, peer.localAddress) })
    #expect(bench.statistics.runsSent == before.runsSent)
    bench.sending.readdress(for: bench.sockets, statistics: &bench.statistics)
    try bench.send(sizes.map { ($0, peer.localAddress) })
    #expect(bench.statistics.runsSent == before.runsSent * 2 && bench.statistics.runsRefused == 1)
  }

  /// A run that cannot leave because of where it goes is lost, each datagram counted; the next run is one as before.
  @Test func aWrongAddressIsNoRefusal() throws {
    let peer = try UDPSocket(bind: .loopback(1))
    let bench = try Bench(UDPSocket(bind: .any(port: 0)), start: start)
    let nowhere = [NetworkAddress.loopback(1, port: 0), NetworkAddress(ipv4: 255, 255, 255, 255, port: 9)]
    for wrong in nowhere {
      let good = (0..<5).map { _ in (700, peer.localAddress) }
      try bench.send(good + (0..<5).map { _ in (700, wrong) } + good)
    }
    #expect(bench.statistics.runsRefused == 0 && bench.statistics.runsSent == 4)
    #expect(bench.statistics.sendFailures.total == 10 && bench.statistics.datagramsSent == 20)
    let received = bench.receive(from: peer)
    let expected = [0, 1, 2, 3, 4, 10, 11, 12, 13, 14].map { Self.pattern($0, 700) }
    #expect(received.map(\.bytes) == expected + expected)
  }

  /// A run from a source that has vanished leaves from another one, once.
  @Test func aVanishedSourceOfARun() throws {
    let peer = try UDPSocket(bind: .loopback(1))
    let bench = try Bench(UDPSocket(bind: .any(port: 0)), start: start)
    let path = NetworkPath(local: NetworkAddress(ipv4: 198, 51, 100, 7, port: 0), remote: peer.localAddress)
    for i in 0..<5 { bench.handler.queue.append((Self.pattern(i, 80), path)) }
    try bench.send([])
    #expect(bench.statistics.sourcesDropped == 5 && bench.statistics.runsRefused == 0)
    let received = bench.receive(from: peer)
    #expect(received.map(\.bytes) == Self.pattern([80, 80, 80, 80, 80]))
  }

  /// Datagrams that are larger than any of ours are dropped one by one, also out of a run.
  @Test func largeDatagramsInARun() throws {
    let peer = try UDPSocket(bind: .loopback(1))
    let other = try UDPSocket(bind: .loopback(2))
    var size: CInt = 3000
    #expect(setsockopt(other.descriptor, CInt(IPPROTO_UDP), 103, &size, socklen_t(MemoryLayout<CInt>.size)) == 0)
    #expect(send(9100, from: other, to: peer.localAddress) == 9100)
    let bench = try Bench(UDPSocket(bind: .any(port: 0)), start: start)
    let received = bench.receive(from: peer)
    #expect(received.map(\.bytes.count) == [100] && bench.statistics.truncated == 3)
    #expect(bench.statistics.datagramsReceived == 1 && bench.statistics.datagramsReceivedInRuns == 1)
  }

  private func computeChecksums(_ isOn: Bool, _ socket: UDPSocket) {
    var off: CInt = isOn ? 0 : 1
    #expect(setsockopt(socket.descriptor, SOL_SOCKET, SO_NO_CHECK, &off, socklen_t(MemoryLayout<CInt>.size)) == 0)
  }
}
