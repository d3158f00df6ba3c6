import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Two sides' channels, a carrier that loses, reorders and repeats, and apps that send all kinds of messages and read
/// when they like. It checks each promise where it can be broken.
struct DeliveryWorld {
  /// A message as its sender's app knows it.
  struct Message {
    let id: UInt64
    let content: [UInt8]
    let options: MessageOptions
    var isReceived = false
    var outcome: DeliveryOutcome?
  }

  struct Side {
    var channels: Channels
    var messages: [Message] = []
    /// Which message has which sequence, learnt from the packets.
    var sequences: [StreamID: [UInt64: Int]] = [:]
    var lastReceived: [StreamID: (sequence: UInt64, id: UInt64)] = [:]
    var unread: [(credit: Int, stream: StreamID)] = []
  }

  struct Flight {
    let from: Int
    let packet: ChannelTests.Packet
    /// It was delivered and deemed lost: an acknowledgement may still come.
    var isSettled = false
    var isDelivered = false
  }

  let seed: UInt64
  var random: SeededRandom
  var now = ChannelTests.start
  var sides: [Side]
  var flying: [Flight] = []
  let longest: Int
  let lossRate: UInt64
  /// How many packets may be under way, and overtake each other.
  let depth: Int
  /// How many of a hundred messages are long, and how eagerly apps read.
  let longRate: UInt64
  let readRate: UInt64
  var sentBytes = 0

  init(seed: UInt64) {
    self.seed = seed
    random = SeededRandom(seed: seed)
    let credit = 20_000 + random.next() % 100_000
    let channelCredit = credit / (1 + random.next() % 3)
    longest = Int(channelCredit) - Channels.maximumMessageOverhead
    lossRate = random.next() % 30
    depth = 1 + Int(random.next() % 40)
    longRate = random.next() % 3
    readRate = random.next() % 100
    sides = (0..<2).map { _ in
      Side(channels: ChannelTests.channels(credit: credit, channelCredit: channelCredit))
    }
  }

  mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

  mutating func number(_ range: Range<Int>) -> Int {
    range.lowerBound + Int(random.next() % UInt64(range.count))
  }

  // MARK: Apps

  mutating func enqueue(_ side: Int) {
    guard sides[side].channels.queuedMessages < 200 else { return }
    let id = UInt64(sides[side].messages.count)
    var size = 8 + number(0..<120)
    if chance(20) { size = 8 + number(0..<1500) }
    if chance(longRate) { size = max(8, number(0..<longest)) }
    var content: [UInt8] = []
    content.append(bigEndian: id)
    content += (8..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(id)) }
    var options = MessageOptions(
      delivery: Delivery.allCases[number(0..<4)], channel: [0, 0, 1, 2, 200][number(0..<5)],
      priority: Priority.allCases[number(0..<4)])
    if chance(30) { options.expires = now + .milliseconds(number(0..<400)) }
    if chance(40) { options.receipt = id }
    sides[side].messages.append(Message(id: id, content: content, options: options))
    sides[side].channels.enqueue(content, options, now: now)
    takeOutcomes(side)
  }

  mutating func takeOutcomes(_ side: Int) {
    while let (token, outcome) = sides[side].channels.takeOutcome() {
      let i = Int(token)
      #expect(sides[side].messages[i].outcome == nil, "a second outcome, seed \(seed)")
      sides[side].messages[i].outcome = outcome
      switch outcome {
      case .delivered:
        #expect(sides[side].messages[i].isReceived, "delivered to nobody, seed \(seed)")
      case .expired:
        #expect(sides[side].messages[i].options.expires.map { $0 <= now } == true, "too early, seed \(seed)")
      case .superseded:
        #expect(sides[side].messages[i].options.delivery == .latest, "seed \(seed)")
      case .lost:
        #expect(!sides[side].messages[i].options.delivery.isReliable, "seed \(seed)")
      }
    }
  }

  /// What arrived at `side` is handed to its app.
  mutating func takeMessages(_ side: Int) {
    let other = 1 - side
    while let (stream, sequence, content, credit) = sides[side].channels.takeMessage() {
      var position = 0
      guard let id: UInt64 = try? content.span.bytes.readInteger(at: &position), id < sides[other].messages.count else {
        Issue.record("a message from nowhere, seed \(seed)")
        return
      }
      let message = sides[other].messages[Int(id)]
      #expect(message.content == content && message.options.stream == stream, "seed \(seed)")
      #expect(!message.isReceived, "\(stream) \(sequence) came twice, seed \(seed)")
      if let last = sides[side].lastReceived[stream] {
        switch stream.delivery {
        case .reliableOrdered: #expect(sequence > last.sequence && id > last.id, "out of order, seed \(seed)")
        case .latest: #expect(sequence > last.sequence, "an old one, seed \(seed)")
        case .reliableUnordered, .unreliable: break
        }
      }
      sides[side].lastReceived[stream] = (sequence, id)
      sides[other].messages[Int(id)].isReceived = true
      sides[side].unread.append((credit, stream))
      if message.options.receipt != nil { sides[side].channels.onHandedOver(stream, sequence: sequence) }
    }
  }

  mutating func read(_ side: Int, atMost count: Int = .max) {
    for (credit, stream) in sides[side].unread.prefix(count) {
      sides[side].channels.onConsumed(credit, of: stream)
    }
    sides[side].unread.removeFirst(min(count, sides[side].unread.count))
  }

  // MARK: Packets

  /// Lets one side write a packet.
  mutating func transmit(_ side: Int) {
    let room = 400 + number(0..<701)
    let budget = chance(50) ? number(0..<1000) : 0
    var buffer = [UInt8](repeating: 0, count: 1400)
    var frames: [SentFrame] = []
    let now = now
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      sides[side].channels.appendControl(&output, end: 1100, frames: &frames)
      sides[side].channels.fill(
        &output, room: max(0, room - output.byteCount), fullRoom: 1100, now: now, frames: &frames)
      let before = output.byteCount
      let copied = sides[side].channels.fillCopies(
        &output, room: 1100 - before, budget: budget, now: now, frames: &frames)
      #expect(copied == output.byteCount - before && copied <= budget)
      return output.finalize(for: bytes)
    }
    takeOutcomes(side)
    guard count > 0 else { return }
    sentBytes += count
    let packet = ChannelTests.Packet(bytes: Array(buffer[..<count]), frames: frames)
    inspect(packet, from: side)
    flying.append(Flight(from: side, packet: packet))
  }

  /// No byte of an expired message may be in a packet.
  private mutating func inspect(_ packet: ChannelTests.Packet, from side: Int) {
    let span = packet.bytes.span.bytes
    var position = 0
    while position < span.byteCount, let frame = try? Frame.read(span, at: &position) {
      guard case .message(let message) = frame else { continue }
      if message.offset == 0, message.bytes.count >= 8 {
        var start = message.bytes.lowerBound
        let id: UInt64 = (try? span.readInteger(at: &start)) ?? .max
        sides[side].sequences[message.stream, default: [:]][message.sequence] = Int(id)
      }
      guard let i = sides[side].sequences[message.stream]?[message.sequence] else {
        Issue.record("a message does not begin at its beginning, seed \(seed)")
        continue
      }
      if let expires = sides[side].messages[i].options.expires {
        #expect(now < expires, "a byte of message \(i) after its time, seed \(seed)")
      }
    }
  }

  /// Lets something happen to one of the packets under way.
  mutating func carry() throws {
    guard flying.count > number(0..<depth) else { return }
    let i = number(0..<flying.count)
    var flight = flying[i]
    flying.swapAt(i, flying.count - 1)
    flying.removeLast()
    if flight.isSettled {
      // A late acknowledgement, or none.
      if chance(50) { settle(flight, lost: false) }
    } else if chance(lossRate) {
      settle(flight, lost: true)
    } else if chance(5) {
      for case .message(let part) in flight.packet.frames {
        sides[flight.from].channels.onLost(part, isProbe: true, now: now)
      }
      flying.append(flight)
    } else if chance(5) {
      for case .message(let part) in flight.packet.frames { sides[flight.from].channels.suspect(part) }
      flying.append(flight)
    } else if chance(5), !flight.isDelivered {
      try deliver(flight)
      flight.isDelivered = true
      settle(flight, lost: true)
      flight.isSettled = true
      flying.append(flight)
    } else {
      try deliver(flight)
      if chance(5) { try deliver(flight, isRepeated: true) }
      settle(flight, lost: false)
    }
  }

  mutating func settle(_ flight: Flight, lost: Bool) {
    ChannelTests.settle(flight.packet, lost: lost, &sides[flight.from].channels, now: now)
    takeOutcomes(flight.from)
  }

  /// - Parameter isRepeated: repeated packets do not pass a session's replay window, but repeated bytes of reliable
  ///   messages may come in other packets.
  mutating func deliver(_ flight: Flight, isRepeated: Bool = false) throws {
    let side = 1 - flight.from
    try ChannelTests.deliver(flight.packet, to: &sides[side].channels, now: now, onlyReliable: isRepeated)
    takeOutcomes(side)
    takeMessages(side)
  }

  // MARK: Time

  /// Whose timers are late does not send what has expired either.
  mutating func pass(_ duration: Duration) {
    let end = now + duration
    if chance(30) {
      now = end
      return
    }
    for side in sides.indices {
      while let next = sides[side].channels.nextTimeout, next <= end {
        now = max(now, next)
        sides[side].channels.handleTimeout(now: now)
        takeOutcomes(side)
        #expect(sides[side].channels.nextTimeout.map { $0 > now } ?? true, "a timer that spins, seed \(seed)")
      }
    }
    now = end
  }

  func checkBounds() {
    for side in sides {
      let incoming = side.channels.incoming
      #expect(incoming.transients.entries.count <= TransientMessages.limit, "seed \(seed)")
      #expect(incoming.incomplete <= 64 && incoming.owedReceipts.count <= Incoming.receiptLimit, "seed \(seed)")
      #expect(side.channels.queuedBytes >= 0 && side.channels.queuedMessages >= 0, "seed \(seed)")
    }
  }
}
