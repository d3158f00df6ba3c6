/// What a publisher has done so far.
public struct StatePublisherStatistics: Sendable, Hashable {
  /// Calls of `publish`.
  public internal(set) var frames: UInt64 = 0
  /// Messages, one a player and frame.
  public internal(set) var messages: UInt64 = 0
  /// Messages with a whole state, for players of whom nothing is known to have arrived.
  public internal(set) var fullStates: UInt64 = 0
  /// Differences and whole states that were worked out.
  public internal(set) var encodings: UInt64 = 0
  /// Messages that took what was worked out for another player.
  public internal(set) var sharedUses: UInt64 = 0
  /// Bytes of the bodies of all messages.
  public internal(set) var bytes = 0
  /// Requests of players that could not read what they got.
  public internal(set) var requests: UInt64 = 0
  /// Messages that could not be queued, and states that could not be encoded.
  public internal(set) var failures: UInt64 = 0
}
