import RoamkeyCrypto
import RoamkeyWire

/// A handshake that a server has answered and whose Finish it awaits (PROTOCOL §1).
///
/// Noise's keys must never cover two messages: the Welcome is written once and repeated byte for byte.
final class ServerHandshake {
  /// An authenticated client.
  struct Established: ~Copyable {
    var keys: SessionKeys
    let client: PlayerID
    let parameters: HandshakeParameters
  }

  private var noise: NoiseXX
  private let settings: ServerSettings
  private let serverConnectionID: ConnectionID
  let clientConnectionID: ConnectionID
  let welcome: [UInt8]

  /// Reads a Hello and writes the Welcome; nil where the Hello's key is of no use.
  init?(
    hello: HelloDatagram, _ datagram: RawSpan, serverConnectionID: ConnectionID, settings: ServerSettings,
    configuration: RoamkeyConfiguration, resetToken: UInt128? = nil, staticSecret: borrowing SecretBytes,
    ephemeralSecret: consuming SecretBytes, key: borrowing PlayerKey
  ) {
    self.settings = settings
    self.serverConnectionID = serverConnectionID
    clientConnectionID = hello.source
    var noise = NoiseXX(
      role: .responder,
      prologue: HandshakeTranscript.prologue(destination: hello.destination, source: hello.source),
      staticSecret: staticSecret, ephemeralSecret: ephemeralSecret)
    guard (try? noise.readMessage(datagram.extracting(hello.noise))) != nil else { return nil }
    var parameters = HandshakeParameters(
      application: settings.application, signingPolicy: settings.signingPolicy, clientConnectionID: hello.source,
      serverConnectionID: serverConnectionID)
    parameters.versions = settings.announcesLimits ? ProtocolVersion.supported : []
    parameters.initialCredit = settings.announcesLimits ? configuration.creditWindow : nil
    parameters.initialChannelCredit = settings.announcesLimits ? configuration.channelCreditWindow : nil
    parameters.maximumMessageSize = settings.announcesLimits ? UInt64(configuration.messageLimit) : nil
    parameters.resetToken = resetToken
    parameters.displayName = settings.displayName
    let payload = IdentityPayload.write(parameters, role: .responder, noise: noise, key: key)
    var welcome = LongHeader.write(
      firstByte: HandshakeKind.welcome.rawValue, version: ProtocolVersion.v1.rawValue,
      destination: hello.source, source: serverConnectionID)
    guard (try? noise.writeMessage(payload: payload.span.bytes, into: &welcome)) != nil else { return nil }
    self.noise = noise
    self.welcome = welcome
  }

  /// Reads a Finish. A bad one leaves everything as it was; a good one consumes the handshake.
  func receiveFinish(_ datagram: RawSpan, _ header: LongHeader, server: PlayerID) -> Established? {
    var attempt = noise.clone()
    let transcript = attempt.handshakeHash
    guard header.source == clientConnectionID,
      let payload = try? attempt.readMessage(datagram.extracting(header.payload..<datagram.byteCount)),
      let identity = IdentityPayload.read(
        payload.span.bytes, role: .initiator, transcript: transcript, noise: attempt),
      identity.parameters.clientConnectionID == clientConnectionID,
      identity.parameters.serverConnectionID == serverConnectionID
    else { return nil }
    let context = SessionContext(
      application: settings.application, initiator: identity.player, responder: server,
      handshakeHash: attempt.handshakeHash)
    return Established(
      keys: SessionKeys(split: attempt.split(), context: context, sending: .responderToInitiator),
      client: identity.player, parameters: identity.parameters)
  }
}
