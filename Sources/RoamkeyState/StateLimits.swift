/// What a state may come to, so that a few bytes of a stranger's cannot fill the memory. Both sides should have the
/// same.
///
/// They bound the time, too: a state as large as the limits below may take a third of a second to read. A server that
/// reads its players' states should not allow them more than they need.
public struct StateLimits: Sendable, Hashable {
  /// Values in a state: numbers, texts, and the lists and dictionaries that hold them.
  public var maximumValues: Int
  /// Bytes of all texts of a state together, keys of dictionaries included each time that they stand there.
  public var maximumBytes: Int

  /// Values and bytes of texts in a state, at most.
  public init(maximumValues: Int = 65_536, maximumBytes: Int = 1 << 20) {
    self.maximumValues = min(max(1, maximumValues), 1 << 24)
    self.maximumBytes = min(max(0, maximumBytes), 1 << 28)
  }

  /// Lists and dictionaries in each other, at most.
  public static let maximumDepth = 16
  /// The states that a receiver remembers (STATE §3): a second of them at 60 a second, so long may receipts take.
  static let maximumBaselines = 64
  /// What these may weigh together, the newest one aside (STATE §3).
  static let maximumWeight = 32 << 20
  /// The body of a whole state that is sent reliably, and alone, is larger (STATE §3): about eight packets. Of those
  /// that are `latest` each is lost with any of its packets.
  static let largeState = 8 * 1100
  /// For how long a large state is worth sending, at least.
  static let largeStateExpires: Duration = .seconds(30)
  /// Calls of `publish` for which the outcome of a large state is waited for.
  static let longestWait: UInt64 = 2048
  /// Children of baselines that a reader looks at for one message, as a multiple of `maximumValues` (STATE §8). What
  /// is honest stays below 8, but for a few odd shapes.
  static let visitsPerValue = 32
  /// Bytes of texts that are compared for one message, as a multiple of `maximumBytes`: each text with eight others,
  /// and so is its reference.
  static let comparisonsPerByte = 32
  /// What a value of a state weighs, texts aside (STATE §3).
  static let valueWeight = 32
  /// Keys that are remembered before all of them are forgotten, with the baselines, as a multiple of `maximumValues`.
  static let keysPerValue = 2
}
