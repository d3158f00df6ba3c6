import RoamkeyCrypto
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Public keys are public. Who has copied one, and has not the private half, gets nowhere with it (PROTOCOL §1.4).
@Suite struct ImpersonationTests {
  /// One who knows the protocol, and says in a handshake what it likes.
  private final class Forger {
    private var entropy: Entropy
    private let destination = ConnectionID(0x0102_0304_0506_0708)
    private let source = ConnectionID()
    private var noise: NoiseXX
    private(set) var hello: [UInt8]

    init(seed: UInt64) throws {
      entropy = .seeded(seed)
      let secret = entropy.secret()
      noise = NoiseXX(
        role: .initiator, prologue: HandshakeTranscript.prologue(destination: destination, source: source),
        staticSecret: secret, ephemeralSecret: entropy.secret())
      hello = HelloDatagram.prefix(destination: destination, source: source, cookie: nil, mac: nil)
      let zeros = [UInt8](repeating: 0, count: HelloDatagram.noisePayloadSize(source: source))
      try noise.writeMessage(payload: zeros.span.bytes, into: &hello)
    }

    /// A Finish for that Welcome, with the payload that `payload` makes of the parameters.
    func finish(
      _ welcome: [UInt8], payload: (borrowing NoiseXX, HandshakeParameters) -> [UInt8]
    ) throws -> [UInt8] {
      let header = try LongHeader(welcome.span.bytes)
      _ = try noise.readMessage(welcome.span.bytes.extracting(header.payload..<welcome.count))
      let parameters = HandshakeParameters(
        application: SimulatedWorld.application, signingPolicy: .everyPacket, clientConnectionID: source,
        serverConnectionID: header.source)
      var finish = LongHeader.write(
        firstByte: HandshakeKind.finish.rawValue, version: ProtocolVersion.v1.rawValue, destination: header.source,
        source: source)
      let bytes = payload(noise, parameters)
      try noise.writeMessage(payload: bytes.span.bytes, into: &finish)
      return finish
    }
  }

  /// What is signed in a handshake, for whichever public key it is claimed to be of.
  private static func payload(
    claiming id: PlayerID, signedBy key: borrowing PlayerKey, role: UInt8, _ noise: borrowing NoiseXX,
    _ parameters: HandshakeParameters
  ) -> [UInt8] {
    let tlvs = parameters.encoded()
    var signed = domainLabel("roamkey/1 identity") + [role]
    signed += noise.handshakeHash.bytes + noise.ephemeralPublic.bytes + noise.staticPublic.bytes
    signed += id.publicKey.bytes + BLAKE2b.hash("rk1 params") { $0.update(tlvs.span.bytes) }.bytes
    return id.publicKey.bytes + key.sign(signed.span.bytes).bytes + tlvs
  }

  /// Leads a forger through a handshake with the server of a world.
  private func attempt(
    _ world: SimulatedWorld, seed: UInt64, payload: (borrowing NoiseXX, HandshakeParameters) -> [UInt8]
  ) throws {
    let forger = try Forger(seed: seed)
    let address = NetworkAddress(ipv4: 203, 0, 113, UInt8(seed), port: 6666)
    var welcome: [UInt8]?
    world.hear(address) { if $0.bytes[0] == HandshakeKind.welcome.rawValue { welcome = $0.bytes } }
    world.inject(forger.hello, from: address)
    world.run(for: .milliseconds(100))
    world.inject(try forger.finish(#require(welcome), payload: payload), from: address)
    world.run(for: .milliseconds(100))
  }

  private func joined(_ world: SimulatedWorld) -> [PlayerID] {
    world.serverHost.events.compactMap { if case .joined(_, let id, _) = $0 { id } else { nil } }
  }

  @Test func aPlayersPublicKeyIsNotEnough() throws {
    let game = HonestGame(seed: 1)
    let (world, victim) = (game.world, game.players[0])
    game.play(1)
    let key = PlayerKey.generate()
    try attempt(world, seed: 1) { noise, parameters in
      Self.payload(claiming: victim.id, signedBy: key, role: 0, noise, parameters)
    }
    #expect(world.server.statistics[.badHandshake] == 1)
    #expect(joined(world) == [victim.id])
    // The proof of a server is none of a player, though it is the same key's.
    try attempt(world, seed: 2) { noise, parameters in
      Self.payload(claiming: key.id, signedBy: key, role: 1, noise, parameters)
    }
    #expect(world.server.statistics[.badHandshake] == 2 && joined(world) == [victim.id])
    // The same forger under its own name gets in: nothing else was wrong with its handshakes.
    try attempt(world, seed: 3) { noise, parameters in
      Self.payload(claiming: key.id, signedBy: key, role: 0, noise, parameters)
    }
    #expect(world.server.statistics[.badHandshake] == 2 && joined(world) == [victim.id, key.id])
    game.play(1)
    game.expectUnharmed()
  }

  /// The host of another game has what its player proved there, and shows it as its own.
  @Test func aProofFromAnotherServerIsNotEnough() throws {
    let game = HonestGame(seed: 2)
    let world = game.world
    let victim = PlayerKey.generate()
    let host = PlayerKey.generate()
    var entropy = Entropy.seeded(9)
    let client = ClientHandshake(
      settings: ClientSettings(application: SimulatedWorld.application), configuration: .init(), entropy: &entropy)
    let hello = client.hello
    let datagram = try HelloDatagram(hello.span.bytes, LongHeader(hello.span.bytes))
    let secret = entropy.secret()
    var noise = NoiseXX(
      role: .responder,
      prologue: HandshakeTranscript.prologue(destination: datagram.destination, source: client.source),
      staticSecret: secret, ephemeralSecret: entropy.secret())
    _ = try noise.readMessage(hello.span.bytes.extracting(datagram.noise))
    let parameters = HandshakeParameters(
      application: SimulatedWorld.application, signingPolicy: .everyPacket, clientConnectionID: client.source,
      serverConnectionID: ConnectionID(7))
    var welcome = LongHeader.write(
      firstByte: HandshakeKind.welcome.rawValue, version: ProtocolVersion.v1.rawValue, destination: client.source,
      source: ConnectionID(7))
    let identity = IdentityPayload.write(parameters, role: .responder, noise: noise, key: host)
    try noise.writeMessage(payload: identity.span.bytes, into: &welcome)
    var finish: [UInt8] = []
    switch client.receive(welcome.span.bytes, key: victim) {
    case .established(let established): finish = established.finish
    default: Issue.record("the player trusts its host")
    }
    let header = try LongHeader(finish.span.bytes)
    let proof = try noise.readMessage(finish.span.bytes.extracting(header.payload..<finish.count))
    #expect(Array(proof.prefix(32)) == victim.id.publicKey.bytes, "the host has the player's proof")

    // As it was, and with the parameters that this handshake asks for.
    try attempt(world, seed: 4) { _, _ in proof }
    try attempt(world, seed: 5) { _, parameters in Array(proof.prefix(96)) + parameters.encoded() }
    #expect(world.server.statistics[.badHandshake] == 2)
    #expect(joined(world) == [game.players[0].id])
    game.play(1)
    game.expectUnharmed()
  }

  /// PROTOCOL §1.7: an answer in the name of the server, without its key, comes first. The client goes on waiting for
  /// the one that is genuine.
  @Test(arguments: [false, true]) func aServersPublicKeyIsNotEnough(isQuiet: Bool) throws {
    var configuration = RoamkeyConfiguration()
    configuration.isQuiet = isQuiet
    let forger = PlayerKey.generate()
    var forged = 0
    let game = HonestGame(seed: 3, configuration: configuration) { world in
      let server = world.server.id
      world.tap { datagram in
        guard datagram.bytes[0] == HandshakeKind.hello.rawValue,
          let welcome = try? Self.welcome(answering: datagram.bytes, as: server, signedBy: forger)
        else { return .pass }
        forged += 1
        world.inject(welcome, from: datagram.destination, to: datagram.source, after: .milliseconds(1))
        return .pass
      }
    }
    #expect(forged == 1 && game.players[0].client.statistics[.badHandshake] == 1)
    game.play(1)
    game.expectUnharmed()
  }

  private static func welcome(
    answering hello: [UInt8], as server: PlayerID, signedBy key: borrowing PlayerKey
  ) throws -> [UInt8] {
    let datagram = try HelloDatagram(hello.span.bytes, LongHeader(hello.span.bytes))
    var entropy = Entropy.seeded(11)
    let secret = entropy.secret()
    var noise = NoiseXX(
      role: .responder,
      prologue: HandshakeTranscript.prologue(destination: datagram.destination, source: datagram.source),
      staticSecret: secret, ephemeralSecret: entropy.secret())
    _ = try noise.readMessage(hello.span.bytes.extracting(datagram.noise))
    let id = ConnectionID(99)
    let parameters = HandshakeParameters(
      application: SimulatedWorld.application, signingPolicy: .everyPacket, clientConnectionID: datagram.source,
      serverConnectionID: id)
    var welcome = LongHeader.write(
      firstByte: HandshakeKind.welcome.rawValue, version: ProtocolVersion.v1.rawValue, destination: datagram.source,
      source: id)
    let payload = payload(claiming: server, signedBy: key, role: 1, noise, parameters)
    try noise.writeMessage(payload: payload.span.bytes, into: &welcome)
    return welcome
  }
}
