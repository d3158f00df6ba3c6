import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// Packets whose seals are right, with numbers, phases and bits of an input's choice, and some that were altered:
  /// what is accepted, is accepted once.
  static let packets = FuzzTarget(
    "packets", longestInput: 600,
    milestones: ["opened", "replayed", "forged", "phaseAdvanced", "previousPhase", "windowGrown", "reservedBits"]
  ) { input, reached in
    var world = PacketWorld(idSize: input.byte() & 1 == 0 ? 0 : 8)
    var orders = 0
    while !input.isEmpty, orders < 120 {
      orders += 1
      world.run(&input, &reached)
    }
  }
}

/// A receiver, and a sender that says whatever an input wants.
private struct PacketWorld: ~Copyable {
  private static let split = [UInt8](repeating: 0x5a, count: 64)

  private let idSize: Int
  private var sender: SessionKeys
  private var receiver: SessionKeys
  private var senderPhase: UInt64 = 0
  private var window = ReplayWindow()
  private var phases = KeyPhaseState()
  private var accepted: Set<UInt64> = []
  private var next: UInt64 = 0
  private var hasEnded = false
  /// A packet that is late, with its number and its reserved bits.
  private var late: (packet: [UInt8], number: UInt64, reserved: UInt8)?

  init(idSize: Int) {
    self.idSize = idSize
    sender = Self.keys(.initiatorToResponder)
    receiver = Self.keys(.responderToInitiator)
  }

  private static func keys(_ sending: Direction) -> SessionKeys {
    var bytes = split
    let context = SessionContext(
      application: "fuzz/1", initiator: PlayerID(publicKey: Digest()), responder: PlayerID(publicKey: Digest()),
      handshakeHash: Digest())
    return SessionKeys(split: SecretBytes(wiping: &bytes), context: context, sending: sending)
  }

  mutating func run(_ input: inout FuzzInput, _ reached: inout Milestones) {
    let order = input.byte()
    switch order >> 6 {
    case 0: next += UInt64(order & 0x3f)
    case 1: next += UInt64(order & 0x3f) << UInt64(input.number(below: 40))
    case 2:
      // A lower one than before.
      let back = UInt64(order & 0x3f) << UInt64(input.number(below: 16))
      next -= min(next, back)
    default: if order & 1 == 1, senderPhase < 8 { advance() }
    }
    next = min(next, PacketNumber.maximum)
    if order >> 6 == 3, order & 2 != 0, var due = late {
      late = nil
      receive(&due.packet, number: due.number, isForged: false, reserved: due.reserved, &reached)
    }
    let shape = input.byte()
    var packet = sealed(numberSize: 1 + Int(shape & 3), reserved: shape & 0x18, payload: input.take(Int(shape >> 5)))
    let flip = shape & 4 == 0 ? nil : Int(input.byte())
    if let flip { packet[flip % packet.count] ^= UInt8(1) << UInt8(flip % 8) }
    if order >> 6 == 3, order & 4 != 0, flip == nil {
      late = (packet, next, shape & 0x18)
    } else {
      receive(&packet, number: next, isForged: flip != nil, reserved: shape & 0x18, &reached)
    }
    next += 1
  }

  private mutating func advance() {
    sender.advance(.initiatorToResponder, keepPrevious: false)
    senderPhase += 1
  }

  private func sealed(numberSize: Int, reserved: UInt8, payload: [UInt8]) -> [UInt8] {
    let payload = payload + [UInt8](repeating: 0, count: max(0, 4 - payload.count))
    var packet = [UInt8(numberSize - 1) | reserved | (senderPhase & 1 == 1 ? ShortHeader.phaseBit : 0)]
    packet += [UInt8](repeating: 0xab, count: idSize)
    for place in (0..<numberSize).reversed() { packet.append(UInt8(truncatingIfNeeded: next >> UInt64(8 * place))) }
    let headerSize = packet.count
    packet += payload + [UInt8](repeating: 0, count: ChaChaPoly.tagSize)
    packet.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      sender.protect(&span, headerSize: headerSize, numberSize: numberSize, number: next)
    }
    return packet
  }

  private mutating func receive(
    _ packet: inout [UInt8], number: UInt64, isForged: Bool, reserved: UInt8, _ reached: inout Milestones
  ) {
    guard !hasEnded else { return }
    let highest = window.highest
    let result = packet.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      return Result { () throws(OpenError) in
        try receiver.open(&span, connectionIDSize: idSize, window: window, receiving: phases)
      }
    }
    precondition(window.highest == highest, "opening moves the window")
    switch result {
    case .failure(.replayed): reached.reach(1)
    case .failure(.authenticationFailed): reached.reach(2)
    case .failure(.tooShort): preconditionFailure("a whole packet is not too short")
    case .success(let opened):
      precondition(!isForged, "an altered packet was opened")
      precondition(opened.number == number, "a packet has another number than it was sealed with")
      precondition(opened.reservedBits == reserved, "reserved bits are told as they are")
      if reserved != 0 { reached.reach(6) }
      commit(opened, &reached)
    }
  }

  private mutating func commit(_ opened: OpenedPacket, _ reached: inout Milestones) {
    reached.reach(0)
    precondition(window.accepts(opened.number), "a packet beyond the window was opened")
    precondition(accepted.insert(opened.number).inserted, "a packet was accepted twice")
    if let highest = window.highest, opened.number > highest, opened.number - highest > 64 { reached.reach(5) }
    window.commit(opened.number)
    precondition(!window.accepts(opened.number), "a packet would be accepted twice")
    if opened.phase == .previous { reached.reach(4) }
    switch phases.commit(opened.phase, number: opened.number) {
    case .none: break
    case .advanced:
      receiver.advance(.initiatorToResponder, keepPrevious: true)
      reached.reach(3)
    case .ranBackwards: hasEnded = true
    }
  }
}
