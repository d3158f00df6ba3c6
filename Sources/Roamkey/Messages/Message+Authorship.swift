internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyWire

/// An author's signature on a message, as it stands in it, and what it is to be checked against.
final class AuthorSignature: Sendable, Hashable {
  /// Where a message was received: the signature names both.
  struct Context: Sendable, Hashable {
    let application: String
    let server: PlayerID
  }

  /// 80 bytes.
  let proof: [UInt8]
  /// Nil in a message that was not received.
  let context: Context?

  init(_ proof: [UInt8], context: Context?) {
    self.proof = proof
    self.context = context
  }

  /// Whether it is still to be made.
  var isBlank: Bool { AuthorProof(proof).number == 0 }

  static func == (one: AuthorSignature, other: AuthorSignature) -> Bool {
    one === other || one.proof == other.proof && one.context == other.context
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
  /// The signature covers application, server, a number of its own, action and body; not the time, the channel or the
  /// delivery. It proves to anybody what this player has said, for good, also where packets are `sealedOnly`. A server
  /// does not sign: `send` and `broadcast` of one refuse such a message as `notEncodable`, unless it was received.
  public func signed() -> Message {
    Message(
      id: id, format: format, author: author, action: action, body: body,
      stream: StreamID(channel: channel, delivery: delivery), times: times,
      signature: signature ?? AuthorSignature(AuthorProof.blank, context: nil))
  }

  /// Whether its signature is still to be made.
  var awaitsSignature: Bool { signature?.isBlank ?? false }

  /// Whether it carries a signature of its author, or is to: not whether that is genuine.
  public var isSigned: Bool { signature != nil }

  /// Whether its ``author`` has signed it for this server and application: then it is as it was written, whoever passed
  /// it on. False where there is no signature, and where it is not genuine.
  ///
  /// On a server it is about the player whose key sent it. A check takes about 50 us, each time. It does not tell when
  /// the message was written, nor that it comes for the first time: for that look at ``SignedStatement/number``.
  public var isProven: Bool { statement?.isGenuine ?? false }

  /// What its author has signed, to be kept or shown to others; nil where there is no signature, and in a message that
  /// was not received.
  public var statement: SignedStatement? {
    guard let author, let signature, let context = signature.context else { return nil }
    let proof = AuthorProof(signature.proof)
    return SignedStatement(
      author: author,
      statement: AuthorStatement(
        application: context.application, server: context.server, run: proof.run, number: proof.number,
        format: format, action: action, body: body),
      signature: proof.signature)
  }
}
