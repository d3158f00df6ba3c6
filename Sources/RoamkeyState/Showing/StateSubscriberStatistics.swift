/// What a subscriber has read so far.
public struct StateSubscriberStatistics: Sendable, Hashable {
  /// State messages.
  public internal(set) var messages: UInt64 = 0
  /// Bytes of their bodies.
  public internal(set) var bytes = 0
  /// States that were read.
  public internal(set) var states: UInt64 = 0
  /// Messages with a whole state.
  public internal(set) var fullStates: UInt64 = 0
  /// Messages that could not be read.
  public internal(set) var unreadable: UInt64 = 0
  /// States that were read and are no `State`.
  public internal(set) var undecodable: UInt64 = 0
  /// Requests for a whole state.
  public internal(set) var requests: UInt64 = 0
}
