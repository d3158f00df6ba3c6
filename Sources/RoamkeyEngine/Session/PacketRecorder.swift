package import RoamkeyCrypto

/// Takes what sessions receive, for whoever keeps it as evidence (PROTOCOL §4.3). It is called by the loop, between two
/// packets, so it copies and returns.
package protocol PacketRecorder: AnyObject, Sendable {
  /// The peer has signed this packet, and it was not seen before.
  func record(_ packet: SignedPacket, _ plaintext: RawSpan, of session: RecordedSession)

  /// Nothing more comes of this session.
  func ended(_ session: SessionHandle)
}

/// What is needed of a packet, beside its plaintext, to check its signature without the session's keys.
package struct SignedPacket: Sendable {
  package var number: UInt64
  /// `b` of PROTOCOL §4.1.
  package var blinder: Digest

  package init(number: UInt64, blinder: Digest) {
    self.number = number
    self.blinder = blinder
  }
}

/// Whose packet it is.
package struct RecordedSession: Sendable {
  package var handle: SessionHandle
  package var context: SessionContext
  /// Which way its recorded packets go.
  package var direction: Direction

  package init(handle: SessionHandle, context: SessionContext, direction: Direction) {
    self.handle = handle
    self.context = context
    self.direction = direction
  }
}

extension Session {
  /// Shows a packet that has just been committed to whoever keeps evidence.
  @inline(never)
  func record(_ plaintext: RawSpan, _ opened: OpenedPacket, for recorder: any PacketRecorder) {
    // Who was turned away at the door fills no disk.
    guard signingPolicy == .everyPacket, isAnnounced || !followsPeer else { return }
    let direction = keys.sending.opposite
    // With the commit the next keys have become the current ones.
    let phase = opened.phase == .next ? SessionKeys.Phase.current : opened.phase
    let packet = SignedPacket(
      number: opened.number, blinder: keys.blinder(direction, phase, number: opened.number))
    recorder.record(
      packet, plaintext, of: RecordedSession(handle: handle, context: keys.context, direction: direction))
  }
}
