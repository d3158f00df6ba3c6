import Planets
import Roamkey

/// How views go to players while a match goes on: the newest only.
struct ViewPublisher: Sendable {
  /// Sends each player a view of its own.
  mutating func publish(to server: some GameServer, _ view: (PlayerID) -> View) {
    for player in server.players {
      server.send(view(player), as: PlanetsWire.state, to: player, delivery: .latest, priority: .high)
    }
  }
}

/// How they come in.
struct ViewSubscriber: Sendable {
  /// - Returns: the view that a message brings; nil if it is no such message, or no sound view.
  mutating func take(_ message: Message) -> View? {
    guard message.action == PlanetsWire.state || message.action == PlanetsWire.standing else { return nil }
    guard let view = try? message.decode(View.self), view.isSound else { return nil }
    return view
  }
}
