/// Why an ACK frame closes the session.
package enum AckError: Error, Equatable {
  /// It names a packet that was never sent (RFC 9000 §13.1), such as a number that was left out as a trap (§21.4).
  case acknowledgesUnsent
  /// A range is not below the one before it: no well-formed ACK frame yields that (RFC 9000 §19.3.1).
  case rangesNotDescending
}

/// What one ACK frame changed.
package struct AckOutcome: Equatable, Sendable {
  /// A packet that was acknowledged just now.
  package struct Packet: Equatable, Sendable {
    package var packetNumber: UInt64
    package var sentAt: Instant
    /// Bytes of its datagram.
    package var size: Int
    package var ackEliciting: Bool
    /// Its acknowledgement was in no hurry.
    package var isPatient = false
  }

  /// Packets acknowledged for the first time, those deemed lost before excluded.
  package var newlyAckedPackets = 0
  /// Their bytes, as far as they were in flight.
  package var newlyAckedBytes = 0
  /// The part of these bytes that was sent after the recovery period began: what widens the congestion window.
  package var congestionBytes = 0
  /// The highest of these packets.
  package var largestNewlyAcked: Packet?
  /// Whether any of them was ack-eliciting.
  package var anyAckEliciting = false
  /// A round trip, acknowledgement delay included: only if the frame's largest number is new and something
  /// ack-eliciting is acknowledged (RFC 9002 §5.1).
  package var rttSample: Duration?
  /// Packets acknowledged that had been deemed lost, MTU probes not counted.
  package var spuriousLosses = 0
  /// Bytes of the largest packet acknowledged just now, deemed lost before or not: so large a packet passes this path.
  package var largestAckedSize = 0
  /// The size of an MTU probe acknowledged just now, deemed lost before excluded; of the newest, should there be two.
  package var ackedProbeSize: Int?
}
