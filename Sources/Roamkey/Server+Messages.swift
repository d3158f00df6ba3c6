public import RoamkeyCrypto
public import RoamkeyEngine

extension Server {
  // Every message is reliable and ordered for now; `delivery:` and `priority:` will stand beside `as:`.

  /// Sends a text to a player.
  ///
  /// It returns at once. That a player has just left, or does not keep up, is ordinary on a server and so no error
  /// that is thrown.
  /// - Parameter action: a short name that tells the receiver what it is, at most 64 bytes.
  /// - Returns: nil when it is queued, else why not; nothing of it was sent then.
  @discardableResult
  public func send(_ text: String, as action: String = "", to player: PlayerID) -> SendError? {
    send(Message(text, as: action), to: player)
  }

  /// Sends bytes to a player, as ``send(_:as:to:)-(String,_,_)`` does.
  @discardableResult
  public func send(_ body: [UInt8], as action: String = "", to player: PlayerID) -> SendError? {
    send(Message(body, as: action), to: player)
  }

  /// Sends a message to a player. If it has an author, the player is told so in the server's word.
  /// - Returns: nil when it is queued, else why not; nothing of it was sent then.
  @discardableResult
  public func send(_ message: Message, to player: PlayerID) -> SendError? {
    handOver(message, to: [player])[player]
  }

  /// Passes a player's message on to all the others, with the player as its author.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(_ message: Message, from author: PlayerID) -> [PlayerID: SendError] {
    handOver(message.by(author), to: nil, except: author)
  }

  /// Sends a text to all players.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(_ text: String, as action: String = "") -> [PlayerID: SendError] {
    handOver(Message(text, as: action), to: nil)
  }

  /// Sends bytes to all players.
  /// - Returns: to whom they could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(_ body: [UInt8], as action: String = "") -> [PlayerID: SendError] {
    handOver(Message(body, as: action), to: nil)
  }

  private func handOver(
    _ message: Message, to players: [PlayerID]?, except exception: PlayerID? = nil
  ) -> [PlayerID: SendError] {
    let content: EncodedMessage
    do throws(SendError) {
      content = try message.encoded()
    } catch {
      let all = (players ?? self.players).filter { $0 != exception }
      return Dictionary(all.map { ($0, error) }, uniquingKeysWith: { first, _ in first })
    }
    return link.send(content, to: players, except: exception)
  }

  /// Bytes queued for a player: not sent yet, or not acknowledged.
  public func queuedBytes(of player: PlayerID) -> Int { link.queuedBytes(of: player) }

  /// Returns once a player's queue is at most half full, after `queueFull` the time to try again; also when the player
  /// has left or the task is cancelled. There is no time limit: a player without a network takes nothing for minutes.
  public func waitForRoom(for player: PlayerID) async { await link.waitForRoom(for: player) }
}
