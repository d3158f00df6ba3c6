import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// Either side of a handshake, written from PROTOCOL §1 with the pieces of the libraries, for peers that say what an
/// honest one would not.
struct ScriptedHandshake: ~Copyable {
  static let application = "fuzz/1"
  static let destination = ConnectionID(0x0d0d_0d0d_0d0d_0d0d)
  static let serverID = ConnectionID(0x0e0e_0e0e_0e0e_0e0e)

  /// The client's connection id.
  let source: ConnectionID
  private let role: FuzzKeys.Role
  private var noise: NoiseXX

  init(_ role: FuzzKeys.Role, destination: ConnectionID = Self.destination, source: ConnectionID) {
    self.role = role
    self.source = source
    noise = NoiseXX(
      role: role == .client ? .initiator : .responder, prologue: Self.prologue(destination, source),
      staticSecret: FuzzKeys.secret(3 + role.rawValue), ephemeralSecret: FuzzKeys.secret(5 + role.rawValue))
  }

  private static func prologue(_ destination: ConnectionID, _ source: ConnectionID) -> [UInt8] {
    var bytes = Array("roamkey/1".utf8)
    bytes.append(bigEndian: ProtocolVersion.v1.rawValue)
    return bytes + [UInt8(destination.count)] + destination.bytes + [UInt8(source.count)] + source.bytes
  }

  // MARK: The client's side

  /// The Hello; once, since Noise writes it once.
  mutating func hello(cookie: [UInt8]? = nil) -> [UInt8] {
    let payload = [UInt8](repeating: 0, count: HelloDatagram.noisePayloadSize(source: source))
    return HelloDatagram.prefix(destination: Self.destination, source: source, cookie: cookie, mac: nil)
      + write(payload)
  }

  /// What a Welcome says, if it is one.
  mutating func read(welcome: [UInt8]) -> HandshakeParameters? {
    guard let header = try? LongHeader(welcome.span.bytes), header.firstByte == HandshakeKind.welcome.rawValue else {
      return nil
    }
    let transcript = noise.handshakeHash
    guard let payload = try? noise.readMessage(welcome.span.bytes.extracting(header.payload..<welcome.count)),
      let identity = IdentityPayload.read(
        payload.span.bytes, role: .responder, transcript: transcript, noise: noise)
    else { return nil }
    return identity.parameters
  }

  /// A Finish with whatever TLVs, signed as it should be.
  mutating func finish(to server: ConnectionID, tlvs: [UInt8]) -> [UInt8] {
    LongHeader.write(
      firstByte: HandshakeKind.finish.rawValue, version: ProtocolVersion.v1.rawValue, destination: server,
      source: source) + write(identity(tlvs))
  }

  // MARK: The server's side

  mutating func read(hello: [UInt8]) -> Bool {
    guard let header = try? LongHeader(hello.span.bytes),
      let datagram = try? HelloDatagram(hello.span.bytes, header)
    else { return false }
    return (try? noise.readMessage(hello.span.bytes.extracting(datagram.noise))) != nil
  }

  /// A Welcome with whatever TLVs, signed as it should be.
  mutating func welcome(tlvs: [UInt8], as signer: FuzzKeys.Role = .server) -> [UInt8] {
    LongHeader.write(
      firstByte: HandshakeKind.welcome.rawValue, version: ProtocolVersion.v1.rawValue, destination: source,
      source: Self.serverID) + write(identity(tlvs, as: signer))
  }

  mutating func read(finish: [UInt8]) -> Bool {
    guard let header = try? LongHeader(finish.span.bytes), header.firstByte == HandshakeKind.finish.rawValue else {
      return false
    }
    return (try? noise.readMessage(finish.span.bytes.extracting(header.payload..<finish.count))) != nil
  }

  // MARK: Both

  /// The keys of the session, once all three messages were written and read.
  consuming func keys(application: String = Self.application, peer: PlayerID) -> SessionKeys {
    let own = role == .client ? FuzzKeys.client : FuzzKeys.server
    let context = SessionContext(
      application: application, initiator: role == .client ? own : peer, responder: role == .client ? peer : own,
      handshakeHash: noise.handshakeHash)
    return SessionKeys(
      split: noise.split(), context: context,
      sending: role == .client ? .initiatorToResponder : .responderToInitiator)
  }

  private mutating func write(_ payload: [UInt8]) -> [UInt8] {
    var message: [UInt8] = []
    do {
      try noise.writeMessage(payload: payload.span.bytes, into: &message)
    } catch {
      preconditionFailure("a message of the handshake cannot be written")
    }
    return message
  }

  private borrowing func identity(_ tlvs: [UInt8], as signer: FuzzKeys.Role? = nil) -> [UInt8] {
    ScriptedIdentity(
      role: role, transcript: noise.handshakeHash, ephemeral: noise.ephemeralPublic, static: noise.staticPublic
    ).payload(tlvs, as: signer ?? role)
  }
}

/// What a side says of itself (PROTOCOL §1.4), with whatever TLVs.
struct ScriptedIdentity {
  let role: FuzzKeys.Role
  let transcript: Digest
  let ephemeral: Digest
  let `static`: Digest

  /// `ed_pub32 ‖ sig64 ‖ TLVs`, by the key of `signer`.
  func payload(_ tlvs: [UInt8], as signer: FuzzKeys.Role) -> [UInt8] {
    let key = (signer == .client ? FuzzKeys.client : FuzzKeys.server).publicKey
    var signed = domainLabel("roamkey/1 identity") + [role == .client ? 0 : 1]
    let parameters = BLAKE2b.hash("rk1 params") { $0.update(tlvs.span.bytes) }
    for digest in [transcript, ephemeral, `static`, key, parameters] { signed += digest.bytes }
    return key.bytes + FuzzKeys.sign(signed.span.bytes, as: signer) + tlvs
  }
}
