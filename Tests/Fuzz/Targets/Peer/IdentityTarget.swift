import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// Identities whose signatures are right, over whatever TLVs, and some that were altered afterwards.
  static let identities = FuzzTarget(
    "identities", longestInput: 700, milestones: ["read", "badParameters", "altered", "raw"]
  ) { input, reached in
    let change = input.int16()
    if change == 0xffff {
      let payload = input.rest()
      precondition(IdentityState.shared.read(payload) == nil, "bytes of anybody are an identity")
      return reached.reach(3)
    }
    let tlvs = input.rest()
    var payload = IdentityState.shared.identity.payload(tlvs, as: .client)
    let identity = IdentityState.shared.read(payload)
    let parameters = try? HandshakeParameters(tlvs.span.bytes)
    precondition(identity?.parameters == parameters, "an identity says what its TLVs do not")
    precondition(identity == nil || identity?.player == FuzzKeys.client, "an identity is somebody else's")
    reached.reach(identity == nil ? 1 : 0)
    guard identity != nil, change > 0 else { return }
    payload[change % payload.count] ^= UInt8(1) << UInt8(change >> 8 & 7)
    precondition(IdentityState.shared.read(payload) == nil, "an altered identity is believed")
    reached.reach(2)
  }
}

/// A server that has read a Finish, made once: reading identities does not change it.
private final class IdentityState: Sendable {
  static let shared = IdentityState()

  let identity: ScriptedIdentity
  private let noise: NoiseXX
  private let transcript: Digest

  private init() {
    var client = NoiseXX(
      role: .initiator, prologue: [], staticSecret: FuzzKeys.secret(1), ephemeralSecret: FuzzKeys.secret(2))
    var server = NoiseXX(
      role: .responder, prologue: [], staticSecret: FuzzKeys.secret(3), ephemeralSecret: FuzzKeys.secret(4))
    let empty: [UInt8] = []
    do {
      var message: [UInt8] = []
      try client.writeMessage(payload: empty.span.bytes, into: &message)
      _ = try server.readMessage(message.span.bytes)
      message = []
      try server.writeMessage(payload: empty.span.bytes, into: &message)
      _ = try client.readMessage(message.span.bytes)
      transcript = server.handshakeHash
      identity = ScriptedIdentity(
        role: .client, transcript: transcript, ephemeral: client.ephemeralPublic, static: client.staticPublic)
      message = []
      try client.writeMessage(payload: empty.span.bytes, into: &message)
      _ = try server.readMessage(message.span.bytes)
    } catch {
      preconditionFailure("two honest sides make no handshake")
    }
    noise = server
  }

  func read(_ payload: [UInt8]) -> IdentityPayload? {
    IdentityPayload.read(payload.span.bytes, role: .initiator, transcript: transcript, noise: noise)
  }
}
