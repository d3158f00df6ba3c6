/// When our own sending key is renewed (PROTOCOL §2): after so many packets or so much time, once the peer is known to
/// have the current one.
struct SendPhase {
  private(set) var number: UInt64 = 0
  private var startedAt: Instant
  private var packets: UInt64 = 0
  private var firstPacket: UInt64?
  private var isAcknowledged = false

  init(startedAt: Instant) { self.startedAt = startedAt }

  /// The phase bit of the header.
  var bit: Bool { number & 1 == 1 }

  mutating func onSent(_ packetNumber: UInt64) {
    packets += 1
    firstPacket = firstPacket ?? packetNumber
  }

  mutating func onAcknowledged(_ packetNumber: UInt64) {
    if let firstPacket, packetNumber >= firstPacket { isAcknowledged = true }
  }

  func isDue(now: Instant, configuration: RoamkeyConfiguration) -> Bool {
    isAcknowledged
      && (packets >= configuration.keyUpdatePacketCount || now - startedAt >= configuration.keyUpdateInterval)
  }

  mutating func advance(now: Instant) {
    self = SendPhase(number: number + 1, startedAt: now)
  }

  private init(number: UInt64, startedAt: Instant) {
    self.number = number
    self.startedAt = startedAt
  }
}
