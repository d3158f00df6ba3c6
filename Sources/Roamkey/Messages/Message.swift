public import RoamkeyCrypto
package import RoamkeyEngine
public import RoamkeyWire

/// The smallest thing that an app sends: an action, a body, and who wrote it.
public struct Message: Sendable, Hashable {
  /// Its number among the messages of its session, channel and delivery, from 0; 0 in a message that was not received.
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
  /// itself; ``isProven`` tells whether it is more than that.
  public let author: PlayerID?
  /// How it came, or was to go where it was handed back undelivered; else `reliableOrdered` in a message that was not
  /// received.
  public let delivery: Delivery
  /// The channel by which it came, or was to go where it was handed back undelivered; else 0 in a message that was not
  /// received.
  public let channel: UInt8
  let format: MessageContent.Format
  /// Nil in a message that was not received.
  let times: MessageTimes?
  /// The author's own signature, or the wish for one.
  let signature: AuthorSignature?

  /// The longest action in bytes of UTF-8.
  public static let maximumActionSize = MessageContent.maximumAction

  /// A message of text.
  public init(_ text: String, as action: String = "") {
    self.init(format: .text, author: nil, action: action, body: Array(text.utf8))
  }

  /// A message of bytes.
  public init(_ body: [UInt8], as action: String = "") {
    self.init(format: .bytes, author: nil, action: action, body: body)
  }

  init(
    id: UInt64 = 0, format: MessageContent.Format, author: PlayerID?, action: String, body: [UInt8],
    stream: StreamID = StreamID(channel: 0, delivery: .reliableOrdered), times: MessageTimes? = nil,
    signature: AuthorSignature? = nil
  ) {
    self.id = id
    self.format = format
    self.author = author
    self.action = action
    self.body = body
    delivery = stream.delivery
    channel = stream.channel
    self.times = times
    self.signature = signature
  }

  /// One of ours that was not delivered, as it was before it was sent.
  init(unsent content: MessageContent, stream: StreamID) {
    self.init(
      format: content.format, author: nil, action: content.action, body: content.body, stream: stream,
      signature: content.proof.map { AuthorProof($0).isBlank ? .wanted : .own($0) })
  }

  /// The body as text; nil where the sender sent bytes or a value.
  ///
  /// It is what the sender wrote, whatever that does to a terminal: to print it take ``shownText``.
  public var text: String? { format == .text ? String(decoding: body, as: UTF8.self) : nil }

  /// The text as it can be shown to people, in one line: without control and bidirectional characters, with a space
  /// where a line ended. Empty where the sender sent bytes or a value.
  ///
  /// It is as long as the sender made it, and says what the sender likes.
  public var shownText: String { text.map(DisplayText.line) ?? "" }

  /// The same message as written by `author`.
  package func by(_ author: PlayerID?) -> Message {
    Message(
      id: id, format: format, author: author, action: action, body: body,
      stream: StreamID(channel: channel, delivery: delivery), times: times, signature: signature)
  }
}

extension Message {
  /// What arrived. `sender` counts as the author where it is given, else whom the message names.
  /// - Parameters:
  ///   - application: which both sides play.
  ///   - server: which of them is the server.
  package init(
    _ inbound: consuming InboundMessage, sender: PlayerID?, application: @autoclosure () -> String = "",
    server: @autoclosure () -> PlayerID? = nil
  ) {
    let content = inbound.content
    // A number of 0 is no proof (PROTOCOL §9.8).
    let proof = content.proof.flatMap { AuthorProof($0).isBlank ? nil : $0 }
    let signature = proof.flatMap { proof in
      server().map { AuthorSignature.received(ReceivedProof(proof, application: application(), server: $0)) }
    }
    self.init(
      id: inbound.sequence, format: content.format,
      author: sender ?? content.author.map { PlayerID(publicKey: Digest($0)) }, action: content.action,
      body: content.body, stream: inbound.stream,
      times: MessageTimes(sentAt: inbound.sentAt, receivedAt: inbound.receivedAt, error: inbound.sentAtError),
      signature: signature)
  }

  /// The message for the wire.
  /// - Parameters:
  ///   - author: whom it names as its author; nil where its sender speaks for itself.
  ///   - proof: the author's signature, or room for one that is to be made.
  ///   - now: when `send` was called.
  ///   - time: what the content says about when it was sent.
  /// - Throws: `tooLarge` for an action beyond its limit.
  package func encoded(
    _ options: SendOptions, author: PlayerID?, proof: [UInt8]? = nil, at now: Instant, time: UInt32?
  ) throws(SendError) -> EncodedMessage {
    let actionSize = action.utf8.count
    guard actionSize <= Message.maximumActionSize else {
      throw .tooLarge(size: actionSize, limit: Message.maximumActionSize)
    }
    let content = MessageContent.encode(
      format: format, time: time, wantsReceipt: options.receipt != nil, author: author?.publicKey.bytes,
      proof: proof, action: action, body: body)
    var options = options.forEngine(at: now)
    options.isToBeSigned = signature == .wanted
    return EncodedMessage(content: content, size: actionSize + body.count, options: options)
  }
}

/// A message as the engine takes it.
package struct EncodedMessage: Sendable {
  /// What `send` of the engine takes.
  package var content: [UInt8]
  /// Action and body together: what the limit of a message counts.
  package var size: Int
  /// How it is to be delivered.
  package var options: MessageOptions
}
