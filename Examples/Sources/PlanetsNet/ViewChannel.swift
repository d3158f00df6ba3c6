import Planets
import Roamkey
import RoamkeyState

/// How views go to players while a match goes on: as differences to those that a player has, the newest only.
struct ViewPublisher {
  private var state = StatePublisher<View>(as: PlanetsWire.state)

  /// Sends each player a view of its own.
  mutating func publish(to server: some GameServer, _ view: (PlayerID) -> View) {
    state.publish(to: server) { view($0) }
  }

  /// Learns who has which view, and who asks for a whole one.
  /// - Returns: all other events.
  mutating func take(from server: some GameServer) -> [Server.Event] {
    state.take(server.takeReceipts())
    return state.take(server.takeEvents())
  }
}

/// How they come in.
struct ViewSubscriber {
  private var state = StateSubscriber<View>(as: PlanetsWire.state)

  /// Views that came in and could not be used.
  var failures: UInt64 { state.statistics.unreadable + state.statistics.undecodable }

  /// The newest view that has come, and when the host made it.
  var newest: (view: View, time: GameTime)? {
    guard let view = state.newest, let time = state.newestTime else { return nil }
    return (view, time)
  }

  /// Takes what has come.
  /// - Returns: all that is no view.
  mutating func take(from client: some GameClient) -> [Client.Event] { state.take(client.takeEvents(), from: client) }
}
