internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// What waits for a picker to look at: signals before keys, keys before lists.
///
/// It has a bound whatever the network says: of lists the newest is kept, so that no neighbour, however often it
/// changes its name, comes between somebody and the key that ends it all. Keys come one by one, and of a signal one is
/// enough.
struct PickerInbox: Sendable {
  enum Input: Equatable, Sendable {
    case signal(CInt)
    case key(Key)
    /// The terminal has gone.
    case end
    case servers([FoundServer])
  }

  private var signals: [CInt] = []
  private var keys: [Key?] = []
  private var servers: [FoundServer]?

  var isEmpty: Bool { signals.isEmpty && keys.isEmpty && servers == nil }

  /// Whether a signal waits that ends a command.
  var hasEnd: Bool { signals.contains(where: Self.ends) }

  static func ends(_ signal: CInt) -> Bool { signal == SIGINT || signal == SIGTERM }

  mutating func add(signal: CInt) { if !signals.contains(signal) { signals.append(signal) } }

  /// - Parameter key: nil at the end of the input.
  mutating func add(key: Key?) { keys.append(key) }

  /// In place of a list that nobody has looked at.
  mutating func add(servers: [FoundServer]) { self.servers = servers }

  /// What is to be looked at next; nil if nothing waits.
  mutating func takeFirst() -> Input? {
    if !signals.isEmpty { return .signal(signals.removeFirst()) }
    if !keys.isEmpty { return keys.removeFirst().map { .key($0) } ?? .end }
    defer { servers = nil }
    return servers.map { .servers($0) }
  }
}
