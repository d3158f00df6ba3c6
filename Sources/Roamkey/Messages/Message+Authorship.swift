internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyWire

/// Where a message stands with its author's signature.
enum AuthorSignature: Sendable, Hashable {
  /// The client that sends it is to sign it. Only the app says so, never what was received.
  case wanted
  /// This player's own, in a message that was handed back undelivered: 80 bytes.
  case own([UInt8])
  case received(ReceivedProof)

  /// What goes out with a client's message, whose author is this client: never somebody else's proof.
  var forServer: [UInt8]? {
    switch self {
    case .wanted: AuthorProof.blank
    case .own(let proof): proof
    case .received: nil
    }
  }

  /// What goes out with a message that a server passes on.
  var passedOn: [UInt8]? {
    switch self {
    case .wanted, .own: nil
    case .received(let received): received.proof
    }
  }
}

/// A proof as it came, and what it is to be checked against.
final class ReceivedProof: Sendable, Hashable {
  /// 80 bytes.
  let proof: [UInt8]
  let application: String
  let server: PlayerID

  init(_ proof: [UInt8], application: String, server: PlayerID) {
    self.proof = proof
    self.application = application
    self.server = server
  }

  static func == (one: ReceivedProof, other: ReceivedProof) -> Bool {
    one === other
      || one.proof == other.proof && one.application == other.application && one.server == other.server
  }

  func hash(into hasher: inout Hasher) { hasher.combine(proof) }
}

/// Signatures of authors: what a host passes on without being able to forge or alter it.
///
///     try client.send(Message("I take Vega", as: "order").signed())
///
///     if message.isProven { ... }      // whoever gets it: the author has written this, whatever the host says
extension Message {
  /// The same message, to be signed with the key of the client that sends it. It costs the sender 20 us and 80 bytes.
  ///
  /// Of a message that somebody else has signed it is another statement, by this player. One that was handed back
  /// undelivered keeps the number that it had: it was said once.
  ///
  /// The signature covers application, server, a number of its own, action and body; not the time, the channel or the
  /// delivery. It proves to anybody what this player has said, for good, also where packets are `sealedOnly`. A server
  /// does not sign: `send` and `broadcast` of one refuse such a message as `notEncodable`, unless it was received.
  public func signed() -> Message {
    Message(
      id: id, format: format, author: author, action: action, body: body,
      stream: StreamID(channel: channel, delivery: delivery), times: times,
      signature: hasOwnSignature ? signature : .wanted)
  }

  private var hasOwnSignature: Bool { if case .own = signature { true } else { false } }

  /// Whether it carries a signature of its author, or is to: not whether that is genuine.
  public var isSigned: Bool { signature != nil }

  /// Whether its ``author`` has signed it for this server and application: then it is as it was written, whoever passed
  /// it on. False where there is no signature, and where it is not genuine.
  ///
  /// On a server it is about the player whose key sent it. A check takes about 50 us, each time. It does not tell when
  /// the message was written, nor that it comes for the first time: see ``SignedStatement/number``.
  public var isProven: Bool { statement?.isGenuine ?? false }

  /// What its author has signed, to be kept or shown to others; nil where there is no signature, and in a message that
  /// was not received.
  public var statement: SignedStatement? {
    guard let author, case .received(let received) = signature else { return nil }
    let proof = AuthorProof(received.proof)
    return SignedStatement(
      author: author,
      statement: AuthorStatement(
        application: received.application, server: received.server, run: proof.run, number: proof.number,
        format: format, action: action, body: body),
      signature: proof.signature)
  }
}
