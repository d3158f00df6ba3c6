import RoamkeyEngine
import RoamkeyWire

/// Whole sessions in memory: a message of 64 bytes from app to app, and its acknowledgement.
enum SessionTimings {
  static var all: [Timing] { [session(.sealedOnly), session(.everyPacket)] }

  /// Two messages in two packets, and one packet with the acknowledgement of both.
  private static func session(_ policy: SigningPolicy) -> Timing {
    let counted = CountedCase(policy: policy, work: .messages(.init(direction: .up)))
    var run = CountedRun(counted, warmUp: 100)
    let (keys, message, signature) = (CryptoTimings.Keys(), Scratch(count: 65), Scratch(count: 64))
    let scratch = Scratch()
    let isSigned = policy == .everyPacket
    return Timing(
      isSigned ? "session, signed, 64 B" : "session, sealed, 64 B", unit: "message",
      against: isSigned ? "1.5 of all four calls" : "1.5 seals and opens", unitsInCall: 2, unitsInBareCall: 2,
      work: {
        run.work()
        precondition(!run.hasFailed, "the session did not go on")
      },
      bare: {
        for _ in 0..<3 {
          if isSigned { CryptoTimings.bareSign(keys, message, signature) }
          _ = CryptoTimings.bareSeal(scratch, 70)
          precondition(CryptoTimings.bareOpen(scratch, 70) == 0, "the packet was not opened")
          if isSigned { precondition(CryptoTimings.bareVerify(keys, message, signature), "a bad signature") }
        }
      })
  }
}
