public import RoamkeyEngine
public import RoamkeyWire

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
    /// The server was started anew and knew the session no more; there is a new one, by itself, with the same key on
    /// the other side.
    ///
    /// What a game had told the server before may have to be told again: all that it had in memory is gone. These
    /// reliable messages were not confirmed, in the order of each channel: it may have got them or not. Send them again
    /// (`try client.send(lost)`) or drop them. What was sent since then is on its way already; receipts that were still
    /// out are not told any more.
    case reconnected(undelivered: [Undelivered])
    /// The session has ended. It is the last event; ``Client/undelivered`` has what was not confirmed.
    case disconnected(EndReason)
  }
}
