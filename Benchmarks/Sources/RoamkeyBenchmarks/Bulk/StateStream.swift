internal import Roamkey

/// The small messages that share a session with a transfer, such as a game's state thirty times a second: how they are
/// sent, and what is promised of them. Nothing else depends on their delivery mode.
enum StateStream {
  static let action = "state"
  static let promise = DeliveryLog.Promise.newerOnly

  static func send(_ message: TimedMessage, from server: Server, to player: PlayerID) -> SendError? {
    server.send(message.bytes, as: action, to: player, delivery: .latest)
  }
}
