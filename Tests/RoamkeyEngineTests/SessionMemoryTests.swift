import Foundation
import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// What a session costs a server that has nothing to do with it: `ROAMKEY_MEASURE=1` prints the figures of a thousand.
@Suite(.serialized) struct SessionMemoryTests {
  /// Bytes of this process that are in memory.
  private static func resident() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return try #require(Int(fields[1])) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// A server whose clients are forgotten: their memory is not counted.
  private final class Lobby {
    let server: ServerEndpoint
    var now = Instant(nanoseconds: 1_000_000_000)
    private var batch = DatagramBatch()
    private var events: [EngineEvent] = []
    private let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

    init() {
      var configuration = RoamkeyConfiguration()
      configuration.maximumSessions = .max
      configuration.maximumSessionsPerPrefix = .max
      // Who has left is not missed, so that the sessions stay while others come.
      configuration.keepAliveInterval = .seconds(1_000_000)
      configuration.quietInterval = .seconds(1_000_000)
      server = ServerEndpoint(
        key: PlayerKey.generate(), settings: .init(application: "test/1"), configuration: configuration,
        entropy: .seeded(1))
    }

    /// Somebody joins, says and hears something, is quiet for a minute, and then is gone without a word.
    func visit(_ number: Int, messages: Int) throws {
      let client = ClientEndpoint(
        key: PlayerKey.generate(), settings: .init(application: "test/1"), configuration: .init(),
        entropy: .seeded(UInt64(number + 2)))
      let address = NetworkAddress(ipv4: 198, 51, UInt8(number >> 8 & 255), UInt8(number & 255), port: 5000)
      client.connect(to: [serverAddress], now: now)
      exchange(client, address)
      let session = try #require(server.players[client.id])
      let content = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 200)).encoded()
      for _ in 0..<messages {
        try client.send(content, now: now)
        try server.send(content, to: session.handle, now: now)
        run(client, address, for: .milliseconds(33))
      }
      run(client, address, for: .seconds(60))
    }

    private func run(_ client: ClientEndpoint, _ address: NetworkAddress, for duration: Duration) {
      let end = now + duration
      exchange(client, address)
      while let next = [server.nextTimeout, client.nextTimeout].compactMap({ $0 }).min(), next <= end {
        now = max(now, next)
        server.handleTimeout(now: now)
        client.handleTimeout(now: now)
        exchange(client, address)
      }
      now = end
    }

    private func exchange(_ client: ClientEndpoint, _ address: NetworkAddress) {
      var isBusy = true
      while isBusy {
        isBusy = take(client, to: server, from: address) { _ in true }
        isBusy = take(server, to: client, from: serverAddress) { $0 == address } || isBusy
      }
      events.removeAll(keepingCapacity: true)
      client.drainEvents(into: &events)
      events.removeAll(keepingCapacity: true)
      server.drainEvents(into: &events)
      for case .message(let session, let message) in events {
        server.consumed(message.credit, of: session, now: now)
      }
    }

    private func take(
      _ sender: some DatagramHandler, to receiver: some DatagramHandler, from: NetworkAddress,
      where isForThem: (NetworkAddress) -> Bool
    ) -> Bool {
      batch.removeAll()
      sender.fill(&batch, now: now)
      for i in 0..<batch.count where isForThem(batch.path(i).remote) {
        var span = MutableRawSpan(_unsafeBytes: batch.bytes(i))
        receiver.receive(&span, path: NetworkPath(local: .any(port: 0), remote: from), now: now)
      }
      return batch.count > 0
    }
  }

  /// Everything included: objects, tables, keys. With few sessions the figure says nothing.
  @Test func anIdleSession() throws {
    let isMeasured = ProcessInfo.processInfo.environment["ROAMKEY_MEASURE"] != nil
    let lobby = Lobby()
    try lobby.visit(0, messages: 40)
    let count = isMeasured ? 1000 : 40
    let (resident, pooled) = (try Self.resident(), SecretBytes.pooledBytes)
    for i in 1...count { try lobby.visit(i, messages: 40) }
    #expect(lobby.server.sessions.count == count + 1)
    let each = Double(try Self.resident() - resident) / Double(count)
    let keys = Double(SecretBytes.pooledBytes - pooled) / Double(count)
    if isMeasured {
      #expect(each < 9000)
      print("an idle session: \(Int(each)) bytes in memory, of these \(Int(keys)) for keys")
      print("of its own: channels \(MemoryLayout<Channels>.size), received \(MemoryLayout<ReceivedPackets>.size)")
      print("replay window \(MemoryLayout<ReplayWindow>.size), peer clock \(MemoryLayout<PeerClock>.size)")
      print("sent \(MemoryLayout<SentPackets<SentFrame>>.size), paths \(MemoryLayout<PathManager>.size)")
      print("search \(MemoryLayout<PathSearch>.size), peer ids \(MemoryLayout<PeerConnectionIDs>.size)")
      print("issued ids \(MemoryLayout<IssuedConnectionIDs>.size), pacer \(MemoryLayout<Pacer>.size)")
      print("lane \(MemoryLayout<Lane>.size), send stream \(MemoryLayout<SendStream>.size)")
      print("counters \(MemoryLayout<SessionCounters>.size), sessions \(lobby.server.sessions.count)")
    }
  }

  /// Nothing of a session grows with the time that it lasts, or with what it has carried.
  @Test func nothingGrows() throws {
    let pair = Pair()
    pair.connect()
    let session = try #require(pair.server.sessions.values.first)
    let content = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 300)).encoded()
    var largest = 0
    var tracked: [Int] = []
    for _ in 0..<20 {
      for tick in 0..<100 {
        for _ in 0..<(tick % 10 == 0 ? 40 : 1) { try pair.server.send(content, to: session.handle, now: pair.now) }
        try pair.client.send(content, now: pair.now)
        pair.run(for: .milliseconds(33))
        largest = max(largest, session.sent.trackedPackets)
      }
      for case .message(let handle, let message) in pair.serverEvents {
        pair.server.consumed(message.credit, of: handle, now: pair.now)
      }
      for case .message(_, let message) in pair.clientEvents { pair.client.consumed(message.credit, now: pair.now) }
      pair.serverEvents = []
      pair.clientEvents = []
      // A minute in which nobody says anything.
      pair.run(for: .seconds(60))
      tracked.append(session.sent.trackedPackets)
    }
    #expect(session.counters.messagesSent == 20 * (90 + 400))
    #expect(largest <= 512)
    #expect(tracked.allSatisfy { $0 <= 16 }, "what was settled is forgotten: \(tracked)")
    #expect(session.queuedBytes == 0 && session.channels.isDelivered)
    #expect(pair.server.context.writtenFrames.capacity <= 256 && pair.server.context.ackedFrames.isEmpty)
    #expect(pair.server.statistics.dropped == 0 && pair.client.statistics.dropped == 0)
  }

  /// What is asked for ahead of packets ends behind the first words of the paths (docs/decisions/0025).
  @Test func whatPacketsComeByIsAskedFor() throws {
    let pair = Pair()
    pair.connect()
    let session = try #require(pair.server.sessions.values.first)
    let start = UnsafeRawPointer(Unmanaged.passUnretained(session).toOpaque())
    let paths = withUnsafePointer(to: &session.paths) { UnsafeRawPointer($0) - start }
    let clock = withUnsafePointer(to: &session.peerClock) { UnsafeRawPointer($0) - start }
    #expect(Session.prefetchedBytes > paths && Session.prefetchedBytes < clock, "\(paths), \(clock)")
    if ProcessInfo.processInfo.environment["ROAMKEY_MEASURE"] != nil { print("paths at \(paths), clock at \(clock)") }
  }

  @Test("an acknowledgement that cannot be is forgotten, and not taken for one of the next session")
  func aBadAcknowledgement() throws {
    let crowd = Crowd(2)
    try crowd.tell(0, "one")
    try crowd.tell(1, "two")
    _ = crowd.flush(crowd.server)
    let liar = try #require(crowd.clients[0].session)
    let next = try #require(crowd.server.sessions[crowd.sessions[0]]).sent.nextPacketNumber
    let packet = HostilePeerTests.packet(of: liar, now: crowd.now) { output in
      // The newest that was sent, and then a range that reaches below zero.
      output.append(FrameType.ack)
      for value in [next - 1, 0, 1, 0, next, next] { output.append(varint: value) }
    }
    crowd.deliver(packet, from: 0)
    #expect(crowd.server.context.ackedFrames.isEmpty && crowd.server.context.lostFrames.isEmpty)
    crowd.now = crowd.now + .milliseconds(500)
    crowd.run(for: .seconds(5))
    #expect(crowd.heard(1) == ["two"])
  }
}
