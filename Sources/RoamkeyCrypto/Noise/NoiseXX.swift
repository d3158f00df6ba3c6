/// One side of a Noise_XX_25519_ChaChaPoly_SHA256 handshake (Noise specification, revision 34).
///
/// ```
/// -> e                 Hello
/// <- e, ee, s, es      Welcome
/// -> s, se             Finish
/// ```
/// Neither step changes anything where it throws. Costs two X25519 operations to begin with and three on the way.
package struct NoiseXX: ~Copyable, Sendable {
  /// Who writes the first message.
  package enum Role: Sendable {
    case initiator, responder
  }

  private typealias Slot = NoiseSecrets.Slot

  private let role: Role
  private var secrets: NoiseSecrets
  private var transcript: NoiseTranscript

  /// The own one-time public key.
  package let ephemeralPublic: Digest
  /// The own X25519 public key that the identity signature covers (PROTOCOL §1).
  package let staticPublic: Digest

  /// The bytes that each of the three messages adds to its payload.
  package static let messageOverhead: (Int, Int, Int) = (32, 32 + 48 + 16, 48 + 16)

  /// The most that a message can have (Noise §3).
  private static let maximumMessageSize = 65535

  /// A handshake at its beginning.
  /// - Parameters:
  ///   - prologue: what both sides must agree on, beyond the messages themselves.
  ///   - staticSecret: an X25519 private key, which is copied.
  ///   - ephemeralSecret: a fresh X25519 private key, never used before. The caller makes it, so that a seeded
  ///     simulator can.
  package init(
    role: Role, prologue: [UInt8], staticSecret: borrowing SecretBytes, ephemeralSecret: consuming SecretBytes
  ) {
    self.role = role
    transcript = NoiseTranscript(prologue: prologue)
    secrets = NoiseSecrets(
      chainingKey: NoiseTranscript.protocolName, staticKey: staticSecret, ephemeralKey: ephemeralSecret)
    staticPublic = secrets.publicKey(of: Slot.staticKey)
    ephemeralPublic = secrets.publicKey(of: Slot.ephemeralKey)
  }

  private init(cloning other: borrowing NoiseXX) {
    role = other.role
    secrets = other.secrets.clone()
    transcript = other.transcript
    ephemeralPublic = other.ephemeralPublic
    staticPublic = other.staticPublic
  }

  /// A second state like this one, to read a message with that may turn out to come from the wrong server.
  ///
  /// Of the two, only one may write the next message: a key never covers two (PROTOCOL §1).
  package borrowing func clone() -> NoiseXX { NoiseXX(cloning: self) }

  /// `h` so far. Before a message it is what that message's identity signature covers; after the third it is the
  /// handshake's final hash.
  package var handshakeHash: Digest { transcript.hash }
  /// The peer's one-time public key, known from its first message on.
  package var remoteEphemeral: Digest? { transcript.remoteEphemeral }
  /// The peer's X25519 public key, known once it was read. The peer has proved that it holds the private half.
  package var remoteStatic: Digest? { transcript.remoteStatic }
  /// Whether all three messages were written or read.
  package var isComplete: Bool { transcript.turn == .complete }

  /// Appends the next message to `output`.
  ///
  /// The first payload goes in plaintext, the second is sealed for whoever made the first message, the third for the
  /// holder of the responder's static key.
  /// - Throws: `wrongTurn`; `lowOrderKey` where the peer's earlier message brought such a key.
  package mutating func writeMessage(payload: RawSpan, into output: inout [UInt8]) throws(NoiseError) {
    let before = transcript
    let start = output.count
    secrets.save()
    do throws(NoiseError) {
      try writeTokens(into: &output)
      encryptAndHash(payload, into: &output)
      precondition(output.count - start <= NoiseXX.maximumMessageSize, "a Noise message has at most 65535 bytes")
    } catch {
      transcript = before
      secrets.restore()
      output.removeSubrange(start...)
      throw error
    }
  }

  /// Reads the peer's next message and returns its payload.
  /// - Throws: for anything but the peer's untouched next message; the state is then as it was before.
  package mutating func readMessage(_ message: RawSpan) throws(NoiseError) -> [UInt8] {
    guard message.byteCount <= NoiseXX.maximumMessageSize else { throw .decryptionFailed }
    let before = transcript
    secrets.save()
    do throws(NoiseError) {
      let used = try readTokens(message)
      return try decryptAndHash(message.extracting(used...))
    } catch {
      transcript = before
      secrets.restore()
      throw error
    }
  }

  /// The two transport keys in one region of 64 bytes: initiator to responder at 0, the other way at 32.
  /// - Precondition: `isComplete`.
  package consuming func split() -> SecretBytes {
    precondition(isComplete, "a handshake is split after its third message")
    return secrets.split()
  }
}

// MARK: The pattern XX (Noise §7.5)

extension NoiseXX {
  private mutating func writeTokens(into output: inout [UInt8]) throws(NoiseError) {
    switch (transcript.turn, role) {
    case (.first, .initiator):
      writeEphemeral(into: &output)
      transcript.turn = .second
    case (.second, .responder):
      writeEphemeral(into: &output)
      try mixKey(Slot.ephemeralKey, with: transcript.remoteEphemeral)
      encryptAndHash(staticPublic.bytes.span.bytes, into: &output)
      try mixKey(Slot.staticKey, with: transcript.remoteEphemeral)
      transcript.turn = .third
    case (.third, .initiator):
      encryptAndHash(staticPublic.bytes.span.bytes, into: &output)
      try mixKey(Slot.staticKey, with: transcript.remoteEphemeral)
      transcript.turn = .complete
    case (.first, .responder), (.second, .initiator), (.third, .responder), (.complete, _):
      throw .wrongTurn
    }
  }

  /// Returns the number of bytes before the payload.
  private mutating func readTokens(_ message: RawSpan) throws(NoiseError) -> Int {
    switch (transcript.turn, role) {
    case (.first, .responder):
      try readEphemeral(message)
      transcript.turn = .second
      return 32
    case (.second, .initiator):
      try readEphemeral(message)
      try mixKey(Slot.ephemeralKey, with: transcript.remoteEphemeral)
      try readStatic(message, at: 32)
      try mixKey(Slot.ephemeralKey, with: transcript.remoteStatic)
      transcript.turn = .third
      return 80
    case (.third, .responder):
      try readStatic(message, at: 0)
      try mixKey(Slot.ephemeralKey, with: transcript.remoteStatic)
      transcript.turn = .complete
      return 48
    case (.first, .initiator), (.second, .responder), (.third, .initiator), (.complete, _):
      throw .wrongTurn
    }
  }

  private mutating func writeEphemeral(into output: inout [UInt8]) {
    output.append(contentsOf: ephemeralPublic.bytes)
    transcript.mix(ephemeralPublic)
  }

  private mutating func readEphemeral(_ message: RawSpan) throws(NoiseError) {
    guard message.byteCount >= 32 else { throw .truncated }
    let key = Digest(message)
    transcript.remoteEphemeral = key
    transcript.mix(key)
  }

  private mutating func readStatic(_ message: RawSpan, at offset: Int) throws(NoiseError) {
    guard message.byteCount - offset >= 48 else { throw .truncated }
    transcript.remoteStatic = Digest(try decryptAndHash(message.extracting(offset..<offset + 48)))
  }

  private mutating func mixKey(_ slot: Int, with publicKey: Digest?) throws(NoiseError) {
    guard let publicKey else { preconditionFailure("the turn order brings the peer's keys first") }
    guard secrets.mixKey(slot, with: publicKey) else { throw .lowOrderKey }
    transcript.resetCounter()
  }

  private mutating func encryptAndHash(_ plaintext: RawSpan, into output: inout [UInt8]) {
    let start = output.count
    if let counter = transcript.counter {
      secrets.encrypt(plaintext, counter: counter, transcript: transcript.hash, appendingTo: &output)
      transcript.advanceCounter()
    } else {
      plaintext.withUnsafeBytes { output.append(contentsOf: $0) }
    }
    transcript.mix(output.span.bytes.extracting(start...))
  }

  private mutating func decryptAndHash(_ sealed: RawSpan) throws(NoiseError) -> [UInt8] {
    var plaintext: [UInt8] = []
    if let counter = transcript.counter {
      guard sealed.byteCount >= ChaChaPoly.tagSize else { throw .truncated }
      let opened = secrets.decrypt(sealed, counter: counter, transcript: transcript.hash)
      guard let opened else { throw .decryptionFailed }
      plaintext = opened
      transcript.advanceCounter()
    } else {
      sealed.withUnsafeBytes { plaintext.append(contentsOf: $0) }
    }
    transcript.mix(sealed)
    return plaintext
  }
}
