package import RoamkeyCrypto

/// Which way a packet goes: the `d` of PROTOCOL §2.
package enum Direction: UInt8, Sendable {
  case initiatorToResponder = 0
  case responderToInitiator = 1

  package var opposite: Direction { self == .initiatorToResponder ? .responderToInitiator : .initiatorToResponder }
}

/// What a session has agreed on that is not secret.
package struct SessionContext: Sendable {
  package let application: String
  package let initiator: PlayerID
  package let responder: PlayerID
  package let handshakeHash: Digest
  /// `sid` of PROTOCOL §2: names the session in everything that is derived or signed.
  package let id: Digest

  package init(application: String, initiator: PlayerID, responder: PlayerID, handshakeHash: Digest) {
    self.application = application
    self.initiator = initiator
    self.responder = responder
    self.handshakeHash = handshakeHash
    id = BLAKE2b.hash("rk1 session") { hash in
      hash.update(UInt8(truncatingIfNeeded: application.utf8.count))
      hash.update(Array(application.utf8).span.bytes)
      hash.update(initiator.publicKey)
      hash.update(responder.publicKey)
      hash.update(handshakeHash)
    }
  }
}

/// The secrets of a session, both directions, in one piece of guarded memory, and their renewal (PROTOCOL §2).
package struct SessionKeys: ~Copyable, Sendable {
  /// What stands where in the memory of one direction, in units of 32 bytes. The next phase's keys are always ready,
  /// so that trying them costs nothing that an attacker could count.
  package enum Slot: Int, CaseIterable {
    case headerProtection, nextRoot, seal, blind, nextSeal, nextBlind, previousSeal, previousBlind, scratch
  }
  /// Which of a receiver's keys a packet was opened with.
  package enum Phase: Sendable { case previous, current, next }

  var memory: SecretBytes
  package let context: SessionContext
  package let sending: Direction

  /// - Parameter split: Noise's two transport keys, `k0` then `k1`.
  package init(split: consuming SecretBytes, context: SessionContext, sending: Direction) {
    self.context = context
    self.sending = sending
    memory = SecretBytes(zeros: 2 * Self.directionSize)
    for direction in [Direction.initiatorToResponder, .responderToInitiator] {
      let scratch = Self.offset(direction, .scratch)
      memory.hash("rk1 base", key: split, at: 32 * Int(direction.rawValue), to: scratch) { hash in
        hash.update(context.id)
        hash.update(direction.rawValue)
      }
      memory.deriveSubkey(1, from: scratch, to: Self.offset(direction, .headerProtection))
      memory.deriveSubkey(2, from: scratch, to: Self.offset(direction, .nextRoot))
      prepareNext(direction)
      advance(direction, keepPrevious: false)
    }
  }

  private static let directionSize = 32 * Slot.allCases.count

  static func offset(_ direction: Direction, _ slot: Slot) -> Int {
    directionSize * Int(direction.rawValue) + 32 * slot.rawValue
  }

  static func sealSlot(_ phase: Phase) -> Slot {
    switch phase {
    case .previous: .previousSeal
    case .current: .seal
    case .next: .nextSeal
    }
  }

  static func blindSlot(_ phase: Phase) -> Slot {
    switch phase {
    case .previous: .previousBlind
    case .current: .blind
    case .next: .nextBlind
    }
  }

  /// Moves a direction to its next phase; the one after is made ready, and what is no longer needed is wiped.
  package mutating func advance(_ direction: Direction, keepPrevious: Bool) {
    if keepPrevious {
      copy(direction, .seal, to: .previousSeal)
      copy(direction, .blind, to: .previousBlind)
    }
    copy(direction, .nextSeal, to: .seal)
    copy(direction, .nextBlind, to: .blind)
    prepareNext(direction)
  }

  /// Wipes the keys of the phase before: 3 PTO after the change nothing is late any more.
  package mutating func forgetPrevious(_ direction: Direction) {
    memory.wipe(at: Self.offset(direction, .previousSeal), size: 32)
    memory.wipe(at: Self.offset(direction, .previousBlind), size: 32)
  }

  /// From the root of a phase: its two keys, and the root of the one after it in its place.
  private mutating func prepareNext(_ direction: Direction) {
    let root = Self.offset(direction, .nextRoot)
    memory.deriveSubkey(1, from: root, to: Self.offset(direction, .nextSeal))
    memory.deriveSubkey(2, from: root, to: Self.offset(direction, .nextBlind))
    memory.deriveSubkey(3, from: root, to: Self.offset(direction, .scratch))
    copy(direction, .scratch, to: .nextRoot)
    memory.wipe(at: Self.offset(direction, .scratch), size: 32)
  }

  private mutating func copy(_ direction: Direction, _ source: Slot, to target: Slot) {
    memory.copy(from: Self.offset(direction, source), to: Self.offset(direction, target), size: 32)
  }

  /// A key's bytes, to be held against vectors.
  package borrowing func withKey<R>(_ direction: Direction, _ slot: Slot, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    memory.withUnsafeBytes { bytes in
      let start = Self.offset(direction, slot)
      return body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + 32]))
    }
  }
}
