import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// A player with good keys who says what nobody may say: its session ends with the code that PROTOCOL names, and the
/// others do not notice.
@Suite struct HostilePlayerTests {
  enum Bomb: String, CaseIterable {
    case aMessageOfATerabyte, manyMessagesBegun, aMessageFarAhead, moreThanTheCredit, aSkipFarAhead
    case anAckOfUnsentPackets, anAckOfTooManyRanges, anUnknownFrame, aFrameCutShort
    case aLongReason, aLongAction, textThatIsNone, aReservedFormat
    case aReceiptOfNothing, aSkipThatCostTooMuch, anIDThatNeverWas, nineAddresses, aStreamTooMany

    var code: CloseCode {
      switch self {
      case .aMessageOfATerabyte, .manyMessagesBegun, .aMessageFarAhead, .moreThanTheCredit, .aSkipFarAhead:
        .limitExceeded
      case .anAckOfUnsentPackets, .anAckOfTooManyRanges, .anUnknownFrame, .aFrameCutShort, .aLongReason, .aLongAction,
        .textThatIsNone, .aReservedFormat, .aReceiptOfNothing, .aSkipThatCostTooMuch, .anIDThatNeverWas, .nineAddresses,
        .aStreamTooMany:
        .protocolViolation
      }
    }

    var frames: [UInt8] {
      switch self {
      case .aMessageOfATerabyte: Self.message([0x23], sequence: 0, [0], 1 << 40, [1])
      case .manyMessagesBegun: (0..<65).flatMap { Self.message([0x23], sequence: $0, [0], 10, [1]) }
      case .aMessageFarAhead: [0x21, 0] + Self.varint(32_768) + [1, 0]
      // A whole stream's credit, of which nothing is taken: given up as soon as it was begun, each for a lot.
      case .moreThanTheCredit: (0..<5).flatMap { [0x0f, 0] + Self.varint($0 + 1) + Self.varint(1 << 20) }
      case .aSkipFarAhead: [0x0f, 0] + Self.varint(32_768) + [32]
      case .anAckOfUnsentPackets: [0x02] + Self.varint(1 << 40) + [0, 0, 0]
      case .anAckOfTooManyRanges: [0x02] + Self.varint(200) + [0] + Self.varint(64) + [UInt8](repeating: 0, count: 129)
      case .anUnknownFrame: [0x1f]
      case .aFrameCutShort: [0x04, 1, 2, 3]
      case .aLongReason: [0x03, 0] + Self.varint(129) + [UInt8](repeating: 0x61, count: 129)
      case .aLongAction: Self.whole([0x10, 65] + [UInt8](repeating: 0x61, count: 65))
      case .textThatIsNone: Self.whole([0x01, 0xff])
      case .aReservedFormat: Self.whole([0x03, 0])
      case .aReceiptOfNothing: [0x0e, 0, 0, 0]
      case .aSkipThatCostTooMuch: [0x0f, 0, 0] + Self.varint(1 << 30)
      case .anIDThatNeverWas: [0x08, 0x3f]
      case .nineAddresses: [0x0a, 1, 9] + [UInt8](repeating: 7, count: 9 * 18)
      case .aStreamTooMany: [0x0d] + Self.varint(1024) + [5]
      }
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
      var bytes: [UInt8] = []
      bytes.append(varint: value)
      return bytes
    }

    private static func message(
      _ type: [UInt8], sequence: UInt64, _ offset: [UInt8], _ total: UInt64, _ bytes: [UInt8]
    ) -> [UInt8] {
      type + [0] + varint(sequence) + offset + varint(total) + [UInt8(bytes.count)] + bytes
    }

    /// A content as the first message of channel 0.
    private static func whole(_ content: [UInt8]) -> [UInt8] { [0x21, 0, 0] + varint(UInt64(content.count)) + content }
  }

  private static func append(_ bytes: [UInt8], to output: inout OutputRawSpan) {
    output.append(contentsOf: bytes.span.bytes)
  }

  @Test(arguments: Bomb.allCases) func theSessionEndsAndNobodyElseNotices(bomb: Bomb) throws {
    let game = HonestGame(seed: 1)
    let world = game.world
    let hostile = world.addPlayer(conditions: .local)
    world.connect(hostile)
    game.play(1)
    #expect(hostile.hasJoined)
    let session = try #require(hostile.client.session)
    // A frame that is in order, in a packet made in the same way, ends nothing.
    world.inject(session.forge(now: world.now) { Self.append([0x01], to: &$0) }, from: hostile.host.outside)
    world.run(for: .milliseconds(50))
    #expect(game.end(of: hostile) == nil)
    let packet = session.forge(now: world.now) { Self.append(bomb.frames, to: &$0) }
    world.inject(packet, from: hostile.host.outside)
    world.run(for: .milliseconds(50))
    #expect(game.end(of: hostile) == .violation(code: bomb.code.rawValue))
    game.play(1)
    game.expectUnharmed()
    #expect(world.server.players.count == 1)
  }

  /// A signature that is wrong under a good tag, which only the player itself can have made (PROTOCOL §3.5).
  @Test func aBadSignatureEndsItAtOnce() throws {
    let game = HonestGame(seed: 2)
    let world = game.world
    let hostile = world.addPlayer(conditions: .local)
    world.connect(hostile)
    game.play(1)
    let session = try #require(hostile.client.session)
    for i in 0..<10 {
      let plaintext = [0x01] + world.random.bytes(64) + [0]
      world.inject(
        session.seal(plaintext: plaintext, now: world.now), from: hostile.host.outside, after: .milliseconds(i))
    }
    game.play(1)
    #expect(game.end(of: hostile) == .violation(code: CloseCode.badSignature.rawValue))
    #expect(world.server.statistics[.badSignature] <= 10)
    game.expectUnharmed()
  }

  /// A player who reads nothing and whose app is sent more and more: it is held up alone, within the queue's limit.
  @Test func aPlayerWhoReadsNothing() throws {
    var configuration = RoamkeyConfiguration()
    configuration.receiveCredit = 50_000
    configuration.channelReceiveCredit = 50_000
    configuration.maximumMessageSize = 20_000
    configuration.sendQueueLimit = 100_000
    let game = HonestGame(seed: 3, configuration: configuration)
    let world = game.world
    let slow = world.addPlayer(conditions: .local)
    world.connect(slow)
    world.run(for: .seconds(1))
    slow.host.isReading = false
    for _ in 0..<5 {
      if let session = world.session(of: slow) {
        // The app of a real server is told that the queue is full; nothing of it is kept here.
        for _ in 0..<100 {
          try? world.server.send([0] + [UInt8](repeating: 1, count: 1999), to: session, now: world.now)
        }
      }
      game.play(1)
    }
    #expect(slow.host.unreadBytes <= 50_000)
    let queued = world.server.queuedBytes(of: try #require(world.session(of: slow)))
    #expect((50_000...100_000).contains(queued), "\(queued)")
    game.expectUnharmed()
    #expect(slow.host.ends.isEmpty && game.end(of: slow) == nil, "slow is not dead")
  }
}
