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
  /// The states that a receiver remembers (STATE §3): a second of them at 60 a second, so that receipts may take as long.
  static let maximumBaselines = 64
  /// What these may weigh together, the newest one aside (STATE §3).
  static let maximumWeight = 32 << 20
  /// What a value of a state weighs, texts aside (STATE §3).
  static let valueWeight = 32
  /// Keys that are remembered before all of them are forgotten, with the baselines, as a multiple of `maximumValues`.
  static let keysPerValue = 2
}
