import Roamkey
import RoamkeyCrypto

/// A client that keeps what it is to send.
final class StateOutlet: GameClient {
  let id = FuzzKeys.client
  let serverID = FuzzKeys.server
  let serverName = "somewhere"
  let queuedBytes = 0
  private var sent: (message: Message, options: SendOptions)?

  /// What was sent since it was last asked.
  func take() -> (message: Message, options: SendOptions)? {
    defer { sent = nil }
    return sent
  }

  func send(_ message: Message, options: SendOptions) throws(SendError) { sent = (message, options) }
  func takeEvents() -> [Client.Event] { [] }
  func takeReceipts() -> [Receipt] { [] }
  func flush() {}
  func rest() {}
  func resume() {}
}
