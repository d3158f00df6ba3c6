import Foundation
import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// What trees of each depth cost and save: the figures of docs/decisions/0018-trees.md. Not a test of anything:
/// `ROAMKEY_MEASURE=1 swift test -c release -Xswiftc -enable-testing --scratch-path .build-soak --filter TreeMeasurements`
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["ROAMKEY_MEASURE"] != nil))
struct TreeMeasurements {
  private static func microseconds(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    body()
    return Double((clock.now - start).inNanoseconds) / 1000
  }

  private static func row(_ depth: Int, packets: Int, sending: Double, receiving: Double, bytes: Int, content: Int) {
    let each = Double(packets)
    print(
      String(
        format: "depth %d: %7d packets, send %5.1f us, receive %5.1f us each, %5.0f bytes each, %4.1f %% content, "
          + "%5.0f packets/s on a core for both", depth, packets, sending / each, receiving / each,
        Double(bytes) / each, 100 * Double(content) / Double(bytes), 1e6 * each / (sending + receiving)))
  }

  @Test func oneSessionFullPackets() throws {
    for depth in 0...4 {
      var configuration = RoamkeyConfiguration()
      configuration.maximumPacketSize = 1200
      let pair = Pair(configuration: configuration)
      pair.connect()
      pair.run(for: .seconds(1))
      let session = try #require(pair.server.sessions.values.first)
      var batch = DatagramBatch()
      var (sending, receiving, packets, bytes, content) = (0.0, 0.0, 0, 0, 0)
      for _ in 0..<400 {
        try pair.send(String(repeating: "x", count: 13_000))
        content += 13_000
        var isBusy = true
        while isBusy {
          batch.removeAll()
          sending += Self.microseconds {
            pair.client.context.fill(
              &batch, now: pair.now, depth: { _ in depth }, next: { pair.client.pollTransmit(into: &$0, now: pair.now) }
            )
          }
          receiving += Self.microseconds {
            for i in 0..<batch.count {
              var span = MutableRawSpan(_unsafeBytes: batch.bytes(i))
              pair.server.receive(
                &span, path: NetworkPath(local: pair.serverAddress, remote: pair.clientAddress), now: pair.now)
            }
          }
          packets += batch.count
          for i in 0..<batch.count { bytes += batch.bytes(i).count }
          isBusy = batch.count > 0
          for datagram in pair.flush(pair.server) {
            pair.deliver(datagram, to: pair.client, local: pair.clientAddress, remote: pair.serverAddress)
          }
          pair.now = pair.now + .milliseconds(1)
        }
        pair.server.drainEvents(into: &pair.serverEvents)
        for case .message(_, let message) in pair.serverEvents {
          pair.server.consumed(message.credit, of: session.handle, now: pair.now)
        }
        pair.serverEvents.removeAll()
        pair.run(for: .milliseconds(50))
      }
      Self.row(depth, packets: packets, sending: sending, receiving: receiving, bytes: bytes, content: content)
    }
  }

  @Test(arguments: [16, 64])
  func tick(players: Int) throws {
    for depth in 0...4 {
      var configuration = RoamkeyConfiguration()
      configuration.maximumSessionsPerPrefix = 100
      let crowd = Crowd(players, configuration: configuration)
      let sessions = crowd.sessions
      let content = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 200)).encoded()
      var options = MessageOptions()
      options.delivery = .latest
      var batch = DatagramBatch()
      var (sending, receiving, packets, bytes) = (0.0, 0.0, 0, 0)
      for _ in 0..<300 {
        for session in sessions { try crowd.server.send(content, options, to: session, now: crowd.now) }
        batch.removeAll()
        sending += Self.microseconds {
          crowd.server.context.fill(
            &batch, now: crowd.now, depth: { _ in depth },
            next: { crowd.server.pollTransmit(into: &$0, now: crowd.now) })
        }
        packets += batch.count
        for i in 0..<batch.count { bytes += batch.bytes(i).count }
        receiving += Self.microseconds {
          for i in 0..<batch.count { crowd.deliverToClient(Array(batch.bytes(i)), batch.path(i).remote) }
        }
        crowd.run(for: .milliseconds(33))
        for i in crowd.events.indices { crowd.events[i].removeAll() }
      }
      print("\(players) players: ", terminator: "")
      Self.row(depth, packets: packets, sending: sending, receiving: receiving, bytes: bytes, content: 200 * packets)
    }
  }

  @Test func primitives() {
    let key = PlayerKey.generate()
    let digest = Digest()
    let signature = SignatureTrailer.withSignedBytes(depth: 0, root: digest) { key.sign($0) }
    let rounds = 2000
    let signing = Self.microseconds {
      for _ in 0..<rounds { _ = SignatureTrailer.withSignedBytes(depth: 0, root: digest) { key.sign($0) } }
    }
    let verifying = Self.microseconds {
      for _ in 0..<rounds {
        _ = SignatureTrailer.withSignedBytes(depth: 0, root: digest) { key.id.verify(signature, of: $0) }
      }
    }
    var node = digest
    let hashing = Self.microseconds { for _ in 0..<rounds { node = SignatureTrailer.node(node, digest) } }
    print(
      String(
        format: "sign %.1f us, verify %.1f us, node %.2f us", signing / Double(rounds), verifying / Double(rounds),
        hashing / Double(rounds)), node == digest)
  }
}
