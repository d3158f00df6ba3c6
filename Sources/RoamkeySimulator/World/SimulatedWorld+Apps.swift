package import RoamkeyEngine
package import RoamkeyWire

/// What apps do. Those of a suspended process do it once it runs, those of one that has ended do nothing.
extension SimulatedWorld {
  /// Starts the handshake of a player.
  package func connect(_ player: SimulatedPlayer, to addresses: [NetworkAddress] = [serverAddress]) {
    player.candidates = addresses
    let client = player.client
    whenRunning(player.host) { client.connect(to: addresses, now: $0) }
  }

  /// A player's app sends; what the engine's queue has no room for waits with the app.
  /// - Parameters:
  ///   - options: how it is delivered; its `expires` is set from `lifetime`.
  ///   - lifetime: how long after now the message expires.
  package func send(
    _ body: [UInt8], from player: SimulatedPlayer, _ options: MessageOptions = .init(), lifetime: Duration? = nil
  ) {
    send(body, options, lifetime, to: SessionHandle(rawValue: 1), from: player.host)
  }

  /// The server's app sends to a session.
  package func send(
    _ body: [UInt8], to session: SessionHandle, _ options: MessageOptions = .init(), lifetime: Duration? = nil
  ) {
    send(body, options, lifetime, to: session, from: serverHost)
  }

  private func send(
    _ body: [UInt8], _ options: MessageOptions, _ lifetime: Duration?, to session: SessionHandle,
    from host: SimulatedHost
  ) {
    var options = options
    if let lifetime { options.expires = host.clock.reading(at: now + lifetime) }
    let time = host.process.endpoint.clock.milliseconds24(time(of: host))
    let content = MessageContent(
      format: .bytes, time: time, wantsReceipt: options.receipt != nil, action: "", body: body
    ).encoded()
    switch host.state {
    case .running, .suspended: host.process.enqueue(content, options, to: session)
    case .stopped: host.process.reject()
    }
    touch(host)
  }

  /// A player's app closes its session.
  package func close(_ player: SimulatedPlayer, afterDelivery: Bool) {
    let client = player.client
    let process = player.host.process
    whenRunning(player.host) { now in
      process.pump(now: now)
      client.close(afterDelivery: afterDelivery, now: now)
    }
  }

  /// The server's app ends a session.
  package func close(_ session: SessionHandle, code: CloseCode, reason: String = "") {
    let server = server
    whenRunning(serverHost) { server.close(session, code: code, reason: reason, now: $0) }
  }

  /// The server stops.
  package func shutdown() {
    let server = server
    whenRunning(serverHost) { server.shutdown(now: $0) }
  }

  /// A slow app takes all that has arrived.
  package func consumeAll(_ host: SimulatedHost) {
    let process = host.process
    whenRunning(host) { process.takeUnread(now: $0) }
  }
}
