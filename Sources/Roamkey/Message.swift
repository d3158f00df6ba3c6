/// The smallest thing that an app sends: an action, a body, and who wrote it.
public struct Message: Sendable, Hashable {
  /// Its number among the messages of the session it came by, from 0; 0 in a message that was not received.
  public let id: UInt64
  /// A short name that tells the receiver what it is, such as `chat`; empty where the app gave none.
  ///
  /// At most ``maximumActionSize`` bytes of UTF-8; a longer one is refused by `send`.
  public let action: String
  /// What it says, as bytes.
  public let body: [UInt8]
  /// Who wrote it.
  ///
  /// On a server always the player whose key sent it. On a client the server's word, nil where the server speaks for
  /// itself.
  public let author: PlayerID?
  let format: MessageContent.Format

  /// The longest action in bytes of UTF-8.
  public static let maximumActionSize = MessageContent.maximumAction

  /// A message of text.
  public init(_ text: String, as action: String = "") {
    self.init(id: 0, format: .text, author: nil, action: action, body: Array(text.utf8))
  }

  /// A message of bytes.
  public init(_ body: [UInt8], as action: String = "") {
    self.init(id: 0, format: .bytes, author: nil, action: action, body: body)
  }

  private init(id: UInt64, format: MessageContent.Format, author: PlayerID?, action: String, body: [UInt8]) {
    self.id = id
    self.format = format
    self.author = author
    self.action = action
    self.body = body
  }

  /// The body as text; nil where the sender sent bytes.
  public var text: String? { format == .text ? String(decoding: body, as: UTF8.self) : nil }

  /// The same message as written by `author`.
  func by(_ author: PlayerID?) -> Message {
    Message(id: id, format: format, author: author, action: action, body: body)
  }
}

extension Message {
  /// What arrived. `sender` counts as the author where it is given, else whom the message names.
  init(_ inbound: InboundMessage, sender: PlayerID?) {
    let content = inbound.content
    self.init(
      id: inbound.sequence, format: content.format,
      author: sender ?? content.author.map { PlayerID(publicKey: Digest($0)) }, action: content.action,
      body: content.body)
  }

  /// The message for the wire.
  /// - Throws: `tooLarge` for an action beyond its limit.
  func encoded() throws(SendError) -> EncodedMessage {
    let actionSize = action.utf8.count
    guard actionSize <= Message.maximumActionSize else {
      throw .tooLarge(size: actionSize, limit: Message.maximumActionSize)
    }
    let content = MessageContent(format: format, author: author?.publicKey.bytes, action: action, body: body)
    return EncodedMessage(content: content.encoded(), size: actionSize + body.count)
  }
}

/// A message as the engine takes it.
struct EncodedMessage: Sendable {
  var content: [UInt8]
  /// Action and body together: what the limit of a message counts.
  var size: Int
}
