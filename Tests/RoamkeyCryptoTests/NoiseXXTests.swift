import RoamkeyCrypto
import Testing

private struct NoiseVectors: Decodable {
  struct Message: Decodable {
    let payload, ciphertext: String
  }
  struct Vector: Decodable {
    let protocolName: String
    let initPrologue, initStatic, initEphemeral: String
    let respPrologue, respStatic, respEphemeral: String
    let handshakeHash: String
    let messages: [Message]
  }
  let vectors: [Vector]
}

private func pair() throws -> (NoiseVectors.Vector, NoisePair) {
  let vector = try #require(
    try Vectors.decode(NoiseVectors.self, "noise_xx_25519_chachapoly_sha256.json").vectors.first)
  return (
    vector,
    NoisePair(
      initiator: NoiseXX(
        role: .initiator, prologue: hex(vector.initPrologue), staticSecret: secret(vector.initStatic),
        ephemeralSecret: secret(vector.initEphemeral)),
      responder: NoiseXX(
        role: .responder, prologue: hex(vector.respPrologue), staticSecret: secret(vector.respStatic),
        ephemeralSecret: secret(vector.respEphemeral)))
  )
}

/// Both sides, in a class since a tuple cannot hold what cannot be copied.
private final class NoisePair {
  var initiator: NoiseXX
  var responder: NoiseXX

  init(initiator: consuming NoiseXX, responder: consuming NoiseXX) {
    self.initiator = initiator
    self.responder = responder
  }

  static func random(prologues: ([UInt8], [UInt8]) = ([1], [1])) -> NoisePair {
    NoisePair(
      initiator: NoiseXX(
        role: .initiator, prologue: prologues.0, staticSecret: SecretBytes(random: 32),
        ephemeralSecret: SecretBytes(random: 32)),
      responder: NoiseXX(
        role: .responder, prologue: prologues.1, staticSecret: SecretBytes(random: 32),
        ephemeralSecret: SecretBytes(random: 32)))
  }
}

extension NoiseXX {
  fileprivate mutating func write(_ payload: [UInt8] = []) throws(NoiseError) -> [UInt8] {
    var output: [UInt8] = []
    try writeMessage(payload: payload.span.bytes, into: &output)
    return output
  }

  fileprivate mutating func read(_ message: [UInt8]) throws(NoiseError) -> [UInt8] {
    try readMessage(message.span.bytes)
  }
}

@Suite struct NoiseXXTests {
  @Test func matchesTheVectorByteForByte() throws {
    let (vector, pair) = try pair()
    #expect(vector.protocolName == "Noise_XX_25519_ChaChaPoly_SHA256")
    let payloads = vector.messages.map { hex($0.payload) }
    let expected = vector.messages.map(\.ciphertext)

    let first = try pair.initiator.write(payloads[0])
    #expect(hexString(first) == expected[0])
    #expect(try pair.responder.read(first) == payloads[0])
    let second = try pair.responder.write(payloads[1])
    #expect(hexString(second) == expected[1])
    #expect(try pair.initiator.read(second) == payloads[1])
    let third = try pair.initiator.write(payloads[2])
    #expect(hexString(third) == expected[2])
    #expect(try pair.responder.read(third) == payloads[2])

    #expect(hexString(pair.initiator.handshakeHash.bytes) == vector.handshakeHash)
    #expect(pair.responder.handshakeHash == pair.initiator.handshakeHash)
    let initiatorDone = pair.initiator.isComplete
    let responderDone = pair.responder.isComplete
    #expect(initiatorDone && responderDone)

    let keys = pair.initiator.clone().split()
    let theirs = pair.responder.clone().split()
    #expect(keys.hexString(size: 64) == theirs.hexString(size: 64))
    // The vector's transport messages begin with the responder's and alternate from there.
    for (index, payload) in payloads.enumerated().dropFirst(3) {
      var buffer = payload + [UInt8](repeating: 0, count: ChaChaPoly.tagSize)
      var elements = buffer.mutableSpan
      var span = elements.mutableBytes
      ChaChaPoly.seal(
        &span, headerCount: 0, plaintextCount: payload.count,
        nonce: .init(noiseCounter: UInt64((index - 3) / 2)), key: keys, at: index.isMultiple(of: 2) ? 0 : 32)
      #expect(hexString(buffer) == expected[index])
    }
  }

  @Test func eachSideLearnsTheOthersKeys() throws {
    let pair = NoisePair.random()
    _ = try pair.responder.read(try pair.initiator.write())
    #expect(pair.responder.remoteEphemeral == pair.initiator.ephemeralPublic)
    #expect(pair.responder.remoteStatic == nil)
    let before = pair.responder.handshakeHash
    #expect(before == pair.initiator.handshakeHash, "the identity signature covers this value on both sides")
    _ = try pair.initiator.read(try pair.responder.write())
    #expect(pair.initiator.remoteEphemeral == pair.responder.ephemeralPublic)
    #expect(pair.initiator.remoteStatic == pair.responder.staticPublic)
    #expect(pair.initiator.handshakeHash == pair.responder.handshakeHash)
    #expect(pair.initiator.handshakeHash != before)
    _ = try pair.responder.read(try pair.initiator.write())
    #expect(pair.responder.remoteStatic == pair.initiator.staticPublic)
  }

  @Test(arguments: [0, 1, 200]) func overheadIsAsStated(size: Int) throws {
    let pair = NoisePair.random()
    let payload = [UInt8](repeating: 7, count: size)
    let first = try pair.initiator.write(payload)
    #expect(try pair.responder.read(first) == payload)
    let second = try pair.responder.write(payload)
    #expect(try pair.initiator.read(second) == payload)
    let third = try pair.initiator.write(payload)
    #expect(try pair.responder.read(third) == payload)
    #expect(first.count == size + NoiseXX.messageOverhead.0)
    #expect(second.count == size + NoiseXX.messageOverhead.1)
    #expect(third.count == size + NoiseXX.messageOverhead.2)
  }

  @Test func messageIsAppended() throws {
    let pair = NoisePair.random()
    var output: [UInt8] = [1, 2, 3]
    try pair.initiator.writeMessage(payload: ([9] as [UInt8]).span.bytes, into: &output)
    #expect(output.count == 3 + 33 && output.prefix(3) == [1, 2, 3])
    #expect(try pair.responder.readMessage(output.span.bytes.extracting(3...)) == [9])
  }

  /// Every flipped bit of the second and third message is refused, and does the state no harm.
  @Test func badMessageLeavesTheStateAsItWas() throws {
    let pair = NoisePair.random()
    _ = try pair.responder.read(try pair.initiator.write())
    let second = try pair.responder.write([1, 2])
    let before = pair.initiator.handshakeHash
    for index in second.indices {
      #expect(throws: NoiseError.self) { try pair.initiator.read(second.flipped(at: index, bit: index % 8)) }
      #expect(pair.initiator.handshakeHash == before)
      #expect(pair.initiator.remoteStatic == nil && pair.initiator.remoteEphemeral == nil)
    }
    for count in second.indices {
      #expect(throws: NoiseError.self) { try pair.initiator.read(Array(second.prefix(count))) }
    }
    #expect(try pair.initiator.read(second) == [1, 2], "the honest message still passes")

    let third = try pair.initiator.write([3])
    for index in third.indices {
      #expect(throws: NoiseError.decryptionFailed) { try pair.responder.read(third.flipped(at: index)) }
      #expect(pair.responder.remoteStatic == nil)
    }
    #expect(throws: NoiseError.truncated) { try pair.responder.read([]) }
    #expect(try pair.responder.read(third) == [3])
    #expect(pair.responder.handshakeHash == pair.initiator.handshakeHash)
  }

  @Test func turnsAreEnforced() throws {
    let pair = NoisePair.random()
    #expect(throws: NoiseError.wrongTurn) { try pair.responder.write() }
    #expect(throws: NoiseError.wrongTurn) { try pair.initiator.read([UInt8](repeating: 1, count: 96)) }
    let first = try pair.initiator.write()
    #expect(throws: NoiseError.wrongTurn) { try pair.initiator.write() }
    _ = try pair.responder.read(first)
    #expect(throws: NoiseError.wrongTurn) { try pair.responder.read(first) }
    _ = try pair.initiator.read(try pair.responder.write())
    #expect(throws: NoiseError.wrongTurn) { try pair.responder.write() }
    let third = try pair.initiator.write()
    _ = try pair.responder.read(third)
    #expect(throws: NoiseError.wrongTurn) { try pair.responder.read(third) }
    #expect(throws: NoiseError.wrongTurn) { try pair.initiator.write() }
    var output: [UInt8] = [5]
    #expect(throws: NoiseError.wrongTurn) {
      try pair.responder.writeMessage(payload: ([1] as [UInt8]).span.bytes, into: &output)
    }
    #expect(output == [5], "nothing is left behind")
  }

  @Test(arguments: smallOrderPoints) func lowOrderKeyIsRefused(point: String) throws {
    let pair = NoisePair.random()
    _ = try pair.responder.read(hex(point))
    #expect(throws: NoiseError.lowOrderKey) { try pair.responder.write([1]) }

    let other = NoisePair.random()
    let first = try other.initiator.write()
    #expect(throws: NoiseError.lowOrderKey) {
      try other.initiator.read(hex(point) + [UInt8](repeating: 0, count: 64))
    }
    _ = try other.responder.read(first)
    let second = try other.responder.write([8])
    #expect(try other.initiator.read(second) == [8])
  }

  /// A Welcome is read on a clone; one from the wrong server does not end the wait for the right one.
  @Test func cloneIsIndependent() throws {
    let pair = NoisePair.random()
    let impostor = NoiseXX(
      role: .responder, prologue: [1], staticSecret: SecretBytes(random: 32), ephemeralSecret: SecretBytes(random: 32))
    let wrong = NoisePair(initiator: pair.initiator.clone(), responder: impostor)
    let first = try pair.initiator.write()
    _ = try wrong.responder.read(first)
    _ = try pair.responder.read(first)

    let attempt = NoisePair(initiator: pair.initiator.clone(), responder: wrong.responder.clone())
    _ = try attempt.initiator.read(try attempt.responder.write())
    #expect(attempt.initiator.remoteStatic == wrong.responder.staticPublic)
    #expect(pair.initiator.remoteStatic == nil)

    _ = try pair.initiator.read(try pair.responder.write())
    _ = try pair.responder.read(try pair.initiator.write())
    #expect(pair.initiator.remoteStatic == pair.responder.staticPublic)
  }

  @Test func differentProloguesDoNotMeet() throws {
    let pair = NoisePair.random(prologues: ([1], [2]))
    _ = try pair.responder.read(try pair.initiator.write())
    let second = try pair.responder.write()
    #expect(throws: NoiseError.decryptionFailed) { try pair.initiator.read(second) }
  }
}

/// Points of order 1, 2, 4 and 8 and their non-canonical forms, as X25519 refuses them (RFC 7748 §6.1).
let smallOrderPoints = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
