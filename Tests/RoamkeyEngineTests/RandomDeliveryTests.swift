import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §9 as a whole: whatever is sent, and whatever happens to the packets, every promise holds, and nothing is
/// left over.
struct RandomDeliveryTests {
  @Test(arguments: 0..<30) func everyPromise(run: Int) throws {
    try Self.run(seed: .random(in: 0 ... .max))
  }

  static func run(seed: UInt64) throws {
    var world = DeliveryWorld(seed: seed)
    for _ in 0..<3000 {
      let side = world.number(0..<2)
      switch world.number(0..<10) {
      case 0, 1, 2: world.enqueue(side)
      case 3, 4: world.transmit(side)
      case 5, 6, 7: try world.carry()
      case 8: world.pass(.milliseconds(world.number(0..<10)))
      default: if world.chance(world.readRate) { world.read(side, atMost: world.number(0..<50)) }
      }
      world.checkBounds()
    }
    try settle(&world)
    for side in 0..<2 { check(world, side) }
  }

  /// A good network, and apps that read, until nothing is left to do.
  static func settle(_ world: inout DeliveryWorld) throws {
    var turns = 0
    while !isQuiet(world) {
      turns += 1
      try #require(turns < 20_000, "no end, seed \(world.seed)")
      for side in 0..<2 {
        world.read(side)
        world.transmit(side)
      }
      while let flight = world.flying.popLast() {
        if !flight.isSettled { try world.deliver(flight) }
        world.settle(flight, lost: false)
      }
      world.pass(.milliseconds(1))
    }
  }

  static func isQuiet(_ world: DeliveryWorld) -> Bool {
    world.flying.isEmpty
      && world.sides.allSatisfy { side in
        side.channels.isDelivered && side.channels.queuedBytes == 0 && !side.channels.owesControl
          && side.unread.isEmpty && side.channels.nextTimeout == nil
      }
  }

  static func check(_ world: DeliveryWorld, _ side: Int) {
    let seed = world.seed
    let outgoing = world.sides[side].channels.outgoing
    let incoming = world.sides[1 - side].channels.incoming
    for message in world.sides[side].messages {
      let mustArrive = message.options.delivery.isReliable && message.options.expires == nil
      #expect(message.isReceived || !mustArrive, "message \(message.id) never came, seed \(seed)")
      #expect((message.options.receipt == nil) == (message.outcome == nil), "message \(message.id), seed \(seed)")
      if mustArrive, message.options.receipt != nil { #expect(message.outcome == .delivered, "seed \(seed)") }
    }
    #expect(outgoing.credit.used == incoming.window.received, "seed \(seed)")
    #expect(incoming.window.received == incoming.window.consumed, "seed \(seed)")
    #expect(outgoing.credit.begun == 0 && outgoing.credit.reserved == 0, "seed \(seed)")
    for stream in incoming.streams where stream.id.delivery.isReliable {
      let sender = outgoing.streams.first { $0.id == stream.id }
      #expect(sender?.credit.used == stream.window.received, "seed \(seed)")
      #expect(stream.window.received == stream.window.consumed, "seed \(seed)")
      #expect(stream.waiting.isEmpty && stream.settled.floor == sender?.nextSequence, "seed \(seed)")
    }
    #expect(outgoing.openPieceMessages == 0 && outgoing.liveExpiries == 0, "seed \(seed)")
    #expect(outgoing.copies.count == 0 && outgoing.copies.urgentCount == 0, "seed \(seed)")
    #expect(outgoing.streams.allSatisfy { $0.sent.isEmpty && $0.awaited.isEmpty }, "seed \(seed)")
    #expect(incoming.incomplete == 0 && incoming.transients.bytes == 0, "seed \(seed)")
  }
}
