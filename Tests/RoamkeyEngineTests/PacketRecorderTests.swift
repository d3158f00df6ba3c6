import RoamkeyCrypto
import RoamkeyWire
import Synchronization
import Testing

@testable import RoamkeyEngine

/// What is shown to whoever keeps evidence, and what never gets that far.
struct PacketRecorderTests {
  private final class Notes: PacketRecorder {
    let packets = Mutex<[(number: UInt64, size: Int, direction: Direction)]>([])
    let ended = Mutex<[SessionHandle]>([])

    func record(_ packet: SignedPacket, _ plaintext: RawSpan, of session: RecordedSession) {
      let note = (packet.number, plaintext.byteCount, session.direction)
      packets.withLock { $0.append(note) }
    }

    func ended(_ session: SessionHandle) { ended.withLock { $0.append(session) } }

    var longest: Int { packets.withLock { $0.map(\.size).max() ?? 0 } }
    func count(_ direction: Direction) -> Int { packets.withLock { $0.count { $0.direction == direction } } }
  }

  /// A packet of a PING and padding, signed and sealed as the peer does it, of any size.
  private func packet(of session: Session, size: Int, now: Instant) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: size)
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      let packet = session.beginPacket(into: &output, size: size)
      output.append(FrameType.ping)
      while output.byteCount < packet.end { output.append(FrameType.padding) }
      session.finishPacket(
        packet, into: &output, isAckEliciting: true, isPadded: true, remote: session.peerAddress, now: now)
      return output.finalize(for: bytes)
    }
    return Array(buffer[..<count])
  }

  /// PROTOCOL §3.6: a recorder could not keep more than 1400 bytes, so nothing of such a packet takes effect, whether
  /// anybody records or not.
  @Test(arguments: [false, true], [false, true]) func longDatagramsTakeNoEffect(toServer: Bool, isRecorded: Bool) throws
  {
    let notes = Notes()
    let pair = Pair(recorder: isRecorded ? notes : nil)
    pair.connect()
    pair.run(for: .seconds(1))
    let server = try #require(pair.server.sessions.values.first)
    let client = try #require(pair.client.session)
    let direction: Direction = toServer ? .initiatorToResponder : .responderToInitiator
    func receive(_ size: Int) -> (packets: UInt64, drops: UInt64, recorded: Int) {
      let bytes = packet(of: toServer ? client : server, size: size, now: pair.now)
      #expect(bytes.count == size)
      let receiver = toServer ? server : client
      let statistics = { toServer ? pair.server.statistics : pair.client.statistics }
      let before = (receiver.counters.packetsReceived, statistics()[.malformed], notes.count(direction))
      if toServer {
        pair.deliver(bytes, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
      } else {
        pair.deliver(bytes, to: pair.client, local: pair.clientAddress, remote: pair.serverAddress)
      }
      return (
        receiver.counters.packetsReceived - before.0, statistics()[.malformed] - before.1,
        notes.count(direction) - before.2
      )
    }
    let longest = receive(1400)
    #expect(longest == (1, 0, isRecorded ? 1 : 0), "\(longest)")
    for size in [1401, 1402, 1464, 9000] {
      let tooLong = receive(size)
      #expect(tooLong == (0, 1, 0), "\(size): \(tooLong)")
    }
    #expect(notes.longest <= maximumDatagramSize)
    // The session goes on.
    pair.run(for: .seconds(5))
    try pair.send("still here")
    pair.run(for: .seconds(5))
    #expect(pair.heard == ["still here"] && server.isOpen && client.isOpen)
  }

  /// Each packet once, of both sides, and the end.
  @Test func packetsAndTheirEnd() throws {
    let notes = Notes()
    let pair = Pair(recorder: notes)
    pair.connect()
    for number in 0..<10 {
      try pair.send("\(number)")
      pair.run(for: .milliseconds(100))
    }
    pair.client.close(afterDelivery: true, now: pair.now)
    pair.run(for: .seconds(60))
    for direction in [Direction.initiatorToResponder, .responderToInitiator] {
      let numbers = notes.packets.withLock { $0.filter { $0.direction == direction }.map(\.number) }
      #expect(!numbers.isEmpty && Set(numbers).count == numbers.count)
    }
    #expect(notes.ended.withLock { $0.count } == 2, "once on each side")
  }

  @Test func nothingIsRecordedOfWhatIsOnlySealed() throws {
    let notes = Notes()
    var settings = ServerSettings(application: "test/1")
    settings.signingPolicy = .sealedOnly
    let pair = Pair(server: settings, recorder: notes)
    pair.connect()
    try pair.send("hello")
    pair.run(for: .seconds(1))
    #expect(pair.heard == ["hello"] && notes.packets.withLock { $0.isEmpty })
  }
}
