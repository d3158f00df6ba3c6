package import RoamkeyCrypto
package import RoamkeyWire

/// What an author signs (PROTOCOL §9.8): who passes the message on can neither forge nor alter it, nor use it with
/// another server or in another application.
///
/// It is made where the author's key is, and checked by whoever wants to know.
package struct AuthorStatement: Sendable, Hashable {
  package var application: String
  package var server: PlayerID
  package var run: UInt64
  package var number: UInt64
  package var format: MessageContent.Format
  package var action: String
  package var body: [UInt8]

  package init(
    application: String, server: PlayerID, run: UInt64, number: UInt64, format: MessageContent.Format, action: String,
    body: [UInt8]
  ) {
    self.application = application
    self.server = server
    self.run = run
    self.number = number
    self.format = format
    self.action = action
    self.body = body
  }

  private var signedBytes: [UInt8] {
    let digest = BLAKE2b.hash("rk1 author") { hash in
      // Names have at most 255 bytes and actions 64, so that a byte tells their length.
      hash.update([UInt8(truncatingIfNeeded: application.utf8.count)].span.bytes)
      hash.update(Array(application.utf8).span.bytes)
      hash.update(server.publicKey.bytes.span.bytes)
      var numbers: [UInt8] = []
      numbers.append(bigEndian: run)
      numbers.append(bigEndian: number)
      numbers.append(format.rawValue)
      numbers.append(UInt8(truncatingIfNeeded: action.utf8.count))
      hash.update(numbers.span.bytes)
      hash.update(Array(action.utf8).span.bytes)
      hash.update(body.span.bytes)
    }
    return domainLabel("roamkey/1 author") + digest.bytes
  }

  /// Whether both are signed alike: not what looks alike, since a letter may be written in several ways.
  package func says(_ other: AuthorStatement) -> Bool { signedBytes == other.signedBytes }

  package func sign(_ key: borrowing PlayerKey) -> [UInt8] { key.sign(signedBytes.span.bytes).bytes }

  /// Whether `author` has signed it.
  /// - Precondition: a signature of 64 bytes.
  package func isSigned(by author: PlayerID, _ signature: [UInt8]) -> Bool {
    precondition(signature.count == Signature.size, "an Ed25519 signature has 64 bytes")
    return author.verify(Signature(signature.span.bytes), of: signedBytes.span.bytes)
  }
}

/// Signs what an app wants signed, and numbers it: one for each start of a client, so that no number comes twice.
struct AuthorSigner {
  private let run: UInt64
  private var signed: UInt64 = 0

  init(run: UInt64) { self.run = run }

  /// Makes the signature of a message that leaves room for one; others stay as they are.
  mutating func sign(
    _ bytes: inout [UInt8], key: borrowing PlayerKey, application: String, server: PlayerID
  ) {
    // We wrote it ourselves.
    guard let place = MessageContent.blankProof(in: bytes), let content = try? MessageContent(bytes.span.bytes)
    else { return }
    signed += 1
    let statement = AuthorStatement(
      application: application, server: server, run: run, number: signed, format: content.format,
      action: content.action, body: content.body)
    let proof = AuthorProof(run: run, number: signed, signature: statement.sign(key))
    bytes.replaceSubrange(place..<(place + AuthorProof.size), with: proof.bytes)
  }
}
