import DequeModule
import RoamkeyWire

/// Unreliable messages of which some pieces are here. The others may never come, so each has its time, and a new one
/// takes the place of the oldest where room is short (PROTOCOL §9.4).
struct TransientMessages: Sendable {
  struct Entry: Sendable {
    let stream: StreamID
    let sequence: UInt64
    let expires: Instant
    var message: PartialMessage
  }

  private(set) var entries = Deque<Entry>()
  private(set) var bytes = 0
  /// Bytes of all together, at most: enough for the longest message at least.
  private let byteLimit: Int

  static let limit = 32
  static let lifetime = Duration.seconds(1)
  static let defaultByteLimit = 4 << 20

  init(longestMessage: Int) { byteLimit = max(Self.defaultByteLimit, longestMessage) }

  /// When the oldest is dropped.
  var nextTimeout: Instant? { entries.first?.expires }

  /// Adds a piece; if it was the last that was missing, the message.
  mutating func insert(
    _ frame: MessageFrame, _ payload: RawSpan, now: Instant
  ) throws(ChannelError) -> [UInt8]? {
    expire(now: now)
    var place = entries.firstIndex { $0.sequence == frame.sequence && $0.stream == frame.stream } ?? entries.count
    if place == entries.count {
      if entries.count == Self.limit {
        remove(0)
        place -= 1
      }
      entries.append(
        Entry(
          stream: frame.stream, sequence: frame.sequence, expires: now + Self.lifetime,
          message: PartialMessage(total: Int(frame.total))))
    }
    guard entries[place].message.total == Int(frame.total) else { throw .contradiction }
    bytes += try entries[place].message.insert(payload.extracting(frame.bytes), offset: Int(frame.offset))
    if entries[place].message.isComplete {
      let content = entries[place].message.prefix
      remove(place)
      return content
    }
    while bytes > byteLimit { remove(0) }
    return nil
  }

  /// Drops what can never be handed out any more, since a newer message of the stream was.
  mutating func drop(_ stream: StreamID, below sequence: UInt64) {
    guard !entries.isEmpty else { return }
    for place in entries.indices.reversed() where entries[place].stream == stream && entries[place].sequence < sequence
    {
      remove(place)
    }
  }

  mutating func expire(now: Instant) {
    while let first = entries.first, first.expires <= now { remove(0) }
  }

  private mutating func remove(_ place: Int) {
    bytes -= entries[place].message.received
    entries.remove(at: place)
  }
}
