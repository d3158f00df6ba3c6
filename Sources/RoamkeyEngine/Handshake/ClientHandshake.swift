import RoamkeyCrypto
import RoamkeyWire

/// The client's side of the handshake, up to the Finish (PROTOCOL §1). It knows no time and no address: the endpoint
/// resends `hello` until something comes of it.
final class ClientHandshake {
  /// What came of a datagram.
  enum Outcome: ~Copyable {
    /// Not for us, or not genuine: go on waiting.
    case ignored
    /// The server wants its cookie back: send `hello` again at once.
    case retry
    /// A Retry beyond those that are answered at once: this cookie may be used for a Hello that is sent anyway.
    case spareCookie([UInt8])
    /// Genuine, but not what was asked for. The right server may still answer: keep this in mind.
    case doubtful(ConnectError)
    /// Genuine and final.
    case failed(ConnectError)
    case established(Established)
  }

  /// An authenticated server, and what to send it.
  struct Established: ~Copyable {
    var keys: SessionKeys
    let server: PlayerID
    let parameters: HandshakeParameters
    let serverConnectionID: ConnectionID
    /// Written once and resent as bytes.
    let finish: [UInt8]
  }

  private let settings: ClientSettings
  private let configuration: RoamkeyConfiguration
  private var noise: NoiseXX
  private let destination: ConnectionID
  let source: ConnectionID
  private let noiseMessage: [UInt8]
  private var cookie: [UInt8]?
  private var retries = 0

  /// PROTOCOL §1.7: two are answered at once, so that nobody keeps a client busy with them.
  private static let promptRetries = 2

  init(settings: ClientSettings, configuration: RoamkeyConfiguration, entropy: inout Entropy) {
    self.settings = settings
    self.configuration = configuration
    destination = ConnectionID(entropy.number())
    source = configuration.clientConnectionIDSize == 0 ? ConnectionID() : ConnectionID(entropy.number())
    noise = NoiseXX(
      role: .initiator, prologue: HandshakeTranscript.prologue(destination: destination, source: source),
      staticSecret: entropy.secret(), ephemeralSecret: entropy.secret())
    let payload = [UInt8](repeating: 0, count: HelloDatagram.noisePayloadSize(source: source))
    var message: [UInt8] = []
    do {
      try noise.writeMessage(payload: payload.span.bytes, into: &message)
    } catch {
      // The first message holds no key agreement that could fail.
      preconditionFailure("Noise's first message could not be written")
    }
    noiseMessage = message
  }

  /// The Hello as it is to be sent now: with the cookie once there is one, with the mac if the server's key is known.
  var hello: [UInt8] { hello(withCookie: true) }

  /// A cookie is good at the address it came from only.
  func hello(withCookie: Bool) -> [UInt8] {
    let cookie = withCookie ? cookie : nil
    func datagram(mac: [UInt8]?) -> [UInt8] {
      HelloDatagram.prefix(destination: destination, source: source, cookie: cookie, mac: mac) + noiseMessage
    }
    guard let pin = settings.pin else { return datagram(mac: nil) }
    let bare = datagram(mac: nil)
    let macEnd = bare.count - noiseMessage.count
    let macStart = macEnd - HelloDatagram.macSize
    let mac = HandshakeTranscript.mac(
      hello: bare.span.bytes, cookie: (macStart - HelloDatagram.cookieSize)..<macStart, mac: macStart..<macEnd,
      server: pin)
    return datagram(mac: mac)
  }

  func receive(_ datagram: RawSpan, key: borrowing PlayerKey) -> Outcome {
    guard let header = try? LongHeader(datagram), header.destination == source else { return .ignored }
    if header.version == 0 { return receiveVersions(datagram, header) }
    guard header.version == ProtocolVersion.v1.rawValue else { return .ignored }
    switch HandshakeKind(rawValue: header.firstByte) {
    case .retry: return receiveRetry(datagram, header)
    case .welcome: return receiveWelcome(datagram, header, key: key)
    case .hello, .finish, nil: return .ignored
    }
  }

  /// A list that names the version we offered is a forgery or a mistake.
  private func receiveVersions(_ datagram: RawSpan, _ header: LongHeader) -> Outcome {
    guard header.source == destination, let versions = try? VersionNegotiation.read(datagram, header),
      !versions.contains(.v1)
    else { return .ignored }
    return .doubtful(.unsupportedVersion)
  }

  private func receiveRetry(_ datagram: RawSpan, _ header: LongHeader) -> Outcome {
    guard header.source == destination, let cookie = try? RetryDatagram.read(datagram, header) else { return .ignored }
    guard retries < Self.promptRetries else { return .spareCookie(cookie) }
    retries += 1
    self.cookie = cookie
    return .retry
  }

  /// Further Hellos have this cookie.
  func use(_ cookie: [UInt8]) { self.cookie = cookie }

  /// Works on a copy of the Noise state, so that a bad Welcome does no harm.
  private func receiveWelcome(_ datagram: RawSpan, _ header: LongHeader, key: borrowing PlayerKey) -> Outcome {
    var attempt = noise.clone()
    let transcript = attempt.handshakeHash
    guard header.source.count == ConnectionID.routedCount,
      let payload = try? attempt.readMessage(datagram.extracting(header.payload..<datagram.byteCount)),
      let identity = IdentityPayload.read(
        payload.span.bytes, role: .responder, transcript: transcript, noise: attempt),
      identity.parameters.clientConnectionID == source,
      identity.parameters.serverConnectionID == header.source
    else { return .ignored }
    if let pin = settings.pin, pin != identity.player {
      return .doubtful(.wrongServer(expected: pin, found: identity.player))
    }
    guard identity.parameters.application == settings.application else {
      return .failed(.wrongApplication(server: identity.parameters.application))
    }
    if let required = settings.requiredPolicy, required != identity.parameters.signingPolicy {
      return .failed(.wrongSigningPolicy(server: identity.parameters.signingPolicy))
    }
    return finish(attempt, server: identity, key: key)
  }

  private func finish(
    _ noise: consuming NoiseXX, server: IdentityPayload, key: borrowing PlayerKey
  ) -> Outcome {
    var parameters = HandshakeParameters(
      application: settings.application, signingPolicy: server.parameters.signingPolicy, clientConnectionID: source,
      serverConnectionID: server.parameters.serverConnectionID)
    parameters.initialCredit = settings.announcesLimits ? configuration.creditWindow : nil
    parameters.initialChannelCredit = settings.announcesLimits ? configuration.channelCreditWindow : nil
    parameters.maximumMessageSize = settings.announcesLimits ? UInt64(configuration.messageLimit) : nil
    parameters.displayName = settings.displayName
    let payload = IdentityPayload.write(parameters, role: .initiator, noise: noise, key: key)
    var finish = LongHeader.write(
      firstByte: HandshakeKind.finish.rawValue, version: ProtocolVersion.v1.rawValue,
      destination: server.parameters.serverConnectionID, source: source)
    guard (try? noise.writeMessage(payload: payload.span.bytes, into: &finish)) != nil else { return .ignored }
    let context = SessionContext(
      application: settings.application, initiator: key.id, responder: server.player,
      handshakeHash: noise.handshakeHash)
    return .established(
      Established(
        keys: SessionKeys(split: noise.split(), context: context, sending: .initiatorToResponder),
        server: server.player, parameters: server.parameters,
        serverConnectionID: server.parameters.serverConnectionID, finish: finish))
  }
}
