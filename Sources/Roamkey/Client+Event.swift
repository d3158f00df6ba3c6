extension Client {
  /// What a client's app is told, in the order in which it happened.
  public enum Event: Sendable, Hashable {
    /// A message from the server; ``Message/author`` names the player whose words it passes on, if any.
    case message(Message)
    /// This client's address has changed. The session goes on; there is nothing to do.
    case roamed(from: NetworkAddress, to: NetworkAddress)
    /// The server's address has changed. The session goes on; there is nothing to do.
    case serverRoamed(from: NetworkAddress, to: NetworkAddress)
    /// Nothing was heard of the server for a while. The session goes on and keeps its queue.
    case offline
    /// The server was heard again.
    case online
    /// The session has ended. It is the last event.
    case disconnected(EndReason)
  }
}
