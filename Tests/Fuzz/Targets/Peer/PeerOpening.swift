import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// The honest beginning of a session between an engine and a scripted peer.
struct PeerOpening {
  struct Opened: ~Copyable {
    let engine: FuzzEngine
    var peer: ScriptedPeer
  }

  private let setup: PeerSetup
  private let home: NetworkAddress
  private let local: NetworkAddress
  private let now: Instant

  init(_ setup: PeerSetup, home: NetworkAddress, local: NetworkAddress, now: Instant) {
    self.setup = setup
    self.home = home
    self.local = local
    self.now = now
  }

  func open() -> Opened? {
    setup.engineIsServer ? openServer() : openClient()
  }

  private func openServer() -> Opened? {
    var settings = ServerSettings(application: ScriptedHandshake.application)
    settings.signingPolicy = setup.policy
    let endpoint = setup.server(settings, entropy: 1)
    let engine = FuzzEngine(.server(endpoint), configuration: setup.configuration)
    var handshake = ScriptedHandshake(.client, source: setup.source)
    let welcome = answer(of: engine, to: handshake.hello())
    guard let welcome, let parameters = handshake.read(welcome: welcome) else { return nil }
    let id = parameters.serverConnectionID
    let finish = handshake.finish(to: id, tlvs: tlvs(serverID: id))
    engine.receive(finish, path: NetworkPath(local: local, remote: home), now: now)
    guard engine.hasJoined else { return nil }
    let peer = ScriptedPeer(
      handshake.keys(peer: FuzzKeys.server), .client, isSigned: setup.isSigned, ownIDSize: setup.source.count,
      destination: id)
    return Opened(engine: engine, peer: peer)
  }

  private func openClient() -> Opened? {
    let endpoint = ClientEndpoint(
      key: FuzzKeys.make(.client), settings: ClientSettings(application: ScriptedHandshake.application),
      configuration: setup.configuration, entropy: .seeded(1))
    let engine = FuzzEngine(.client(endpoint), configuration: setup.configuration)
    endpoint.connect(to: [home], now: now)
    var hello: [UInt8] = []
    engine.flush(now: now) { bytes, _ in hello = bytes }
    guard let header = try? LongHeader(hello.span.bytes) else { return nil }
    var handshake = ScriptedHandshake(.server, destination: header.destination, source: header.source)
    guard handshake.read(hello: hello) else { return nil }
    let welcome = handshake.welcome(
      tlvs: tlvs(serverID: ScriptedHandshake.serverID, source: header.source))
    guard let finish = answer(of: engine, to: welcome), handshake.read(finish: finish) else { return nil }
    let peer = ScriptedPeer(
      handshake.keys(peer: FuzzKeys.client), .server, isSigned: setup.isSigned,
      ownIDSize: ScriptedHandshake.serverID.count, destination: header.source)
    return Opened(engine: engine, peer: peer)
  }

  /// The first datagram that the engine has to say to one.
  private func answer(of engine: FuzzEngine, to datagram: [UInt8]) -> [UInt8]? {
    engine.receive(datagram, path: NetworkPath(local: local, remote: home), now: now)
    var first: [UInt8]?
    engine.flush(now: now) { bytes, _ in first = first ?? bytes }
    return first
  }

  private func tlvs(serverID: ConnectionID, source: ConnectionID? = nil) -> [UInt8] {
    var parameters = HandshakeParameters(
      application: ScriptedHandshake.application, signingPolicy: setup.policy,
      clientConnectionID: source ?? setup.source, serverConnectionID: serverID)
    parameters.initialCredit = 50_000
    parameters.initialChannelCredit = 30_000
    parameters.maximumMessageSize = 20_000
    if !setup.engineIsServer { parameters.resetToken = 0x1234_5678_9abc_def0_1234_5678_9abc_def0 }
    return parameters.encoded()
  }
}
