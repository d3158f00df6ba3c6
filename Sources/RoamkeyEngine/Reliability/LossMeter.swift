/// The share of packets that a path loses, measured: an exponentially weighted average in which each packet, arrived or
/// lost, is a step of 1/64.
///
/// It follows a path within a hundred packets or two, a few seconds of a game, and one lost packet is enough to be
/// noticed: whoever protects messages against loss must not wait for the third. Integers only: no drift.
package struct LossMeter: Sendable {
  private static let one: Int64 = 1 << 32
  private static let weightBits: Int64 = 6
  /// From 1 % on a path counts as lossy, below 0.25 % no longer. A single loss is 1.6 %, and 117 packets that arrive
  /// forget it: without the distance a path with a loss now and then would go to and fro with each.
  private static let lossy = one / 100
  private static let clean = one / 400

  /// In parts of `one`.
  private var average: Int64 = 0
  /// Whether so much is lost that copies are worth their bytes.
  package private(set) var isLossy = false

  /// Nothing lost yet.
  package init() {}

  /// The share of lost packets in parts of 65,536.
  package var rate: Int { Int(average >> 16) }
  /// The share of lost packets, 0 to 1, for statistics.
  package var share: Double { Double(average) / Double(Self.one) }

  /// Packets acknowledged for the first time: `AckOutcome.newlyAckedPackets`.
  package mutating func onAcked(packets: Int) {
    var left = packets
    // Rounded up, so that it ends at 0, after 1500 steps at most; mostly it is there, and this is no step.
    while left > 0, average > 0 {
      average -= (average + (1 << Self.weightBits) - 1) >> Self.weightBits
      left -= 1
    }
    decide()
  }

  /// Packets deemed lost: `LossOutcome.lostPackets`, so no MTU probes.
  package mutating func onLost(packets: Int) {
    var left = packets
    while left > 0, average < Self.one {
      average += (Self.one - average + (1 << Self.weightBits) - 1) >> Self.weightBits
      left -= 1
    }
    decide()
  }

  /// Packets that were counted as lost and arrived after all: `AckOutcome.spuriousLosses`.
  ///
  /// To undo a loss and count an arrival in its place is to subtract 1/64, exactly so if nothing came in between. Of
  /// what came the average remembers too little to do better; it does not go below 0.
  package mutating func onSpurious(packets: Int) {
    let steps = Int64(min(max(packets, 0), 1 << Self.weightBits))
    average = max(average - steps * (Self.one >> Self.weightBits), 0)
    decide()
  }

  /// Another network: what the last one lost says nothing (PROTOCOL §5, RFC 9000 §9.4).
  package mutating func reset() { self = LossMeter() }

  private mutating func decide() { isLossy = average >= (isLossy ? Self.clean : Self.lossy) }
}
