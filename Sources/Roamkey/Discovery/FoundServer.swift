public import RoamkeyCrypto
public import RoamkeyWire

/// A server that said so itself, signed with its key, in answer to our own question.
public struct FoundServer: Sendable, Hashable, Identifiable {
  /// The key that has signed: what ``Client/init(key:server:name:requiring:loop:configuration:)`` pins.
  public let id: PlayerID
  /// For people: at most 64 bytes, without control, bidirectional and invisible characters; nil where nothing is left.
  /// Anybody may call a server anything.
  public let name: String?
  /// Name and version of what is played there.
  public let application: String
  /// Where to connect to. A link-local IPv6 address has its interface.
  public let address: NetworkAddress
  /// How many were in when it answered.
  public let players: Int
  /// How many may be in.
  public let capacity: Int
  /// From a question to its answer, smoothed: a picker's ping.
  public let roundTrip: Duration?

  /// Whether there is no place left.
  public var isFull: Bool { players >= capacity }

  package init(
    id: PlayerID, name: String?, application: String, address: NetworkAddress, players: Int, capacity: Int,
    roundTrip: Duration?
  ) {
    self.id = id
    self.name = name
    self.application = application
    self.address = address
    self.players = players
    self.capacity = capacity
    self.roundTrip = roundTrip
  }
}
