extension Server {
  /// What a server's app is told, in the order in which it happened.
  public enum Event: Sendable, Hashable {
    /// A player has proved its key and is in. ``Server/address(of:)`` tells where its packets come from.
    case joined(PlayerID)
    /// A player's message.
    case message(Message, PlayerID)
    /// A player's packets come from another address now. The session goes on; there is nothing to do.
    case roamed(PlayerID, from: NetworkAddress, to: NetworkAddress)
    /// Nothing was heard of a player for a while. The session goes on and keeps its queue.
    case offline(PlayerID)
    /// The player was heard again.
    case online(PlayerID)
    /// A player's session has ended.
    case left(PlayerID, EndReason)
  }
}
