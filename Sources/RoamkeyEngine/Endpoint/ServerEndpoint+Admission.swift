import RoamkeyCrypto
import RoamkeyWire

/// Newcomers: what they must show before they cost anything, and who is let in (PROTOCOL §1, §7).
extension ServerEndpoint {
  /// Answers without a session waiting to be sent; more are dropped, and their askers ask again.
  private static let replyLimit = 256
  /// An address that has proved itself may have this many times the usual number of handshakes under way.
  private static let provenFactor = 4

  func receiveHandshake(_ datagram: RawSpan, path: NetworkPath, now: Instant) {
    guard let header = try? LongHeader(datagram) else { return context.statistics.count(.malformed) }
    guard header.version == ProtocolVersion.v1.rawValue else {
      context.statistics.count(.unknownVersion)
      // Never more than came in, and never an answer to an answer.
      if datagram.byteCount >= HelloDatagram.size, header.version != 0, !context.configuration.isQuiet {
        reply(VersionNegotiation.write(answering: header, versions: ProtocolVersion.supported), to: path)
      }
      return
    }
    switch HandshakeKind(rawValue: header.firstByte) {
    case .hello: receiveHello(datagram, header, path: path, now: now)
    case .finish: receiveFinish(datagram, header, path: path, now: now)
    case .welcome, .retry, nil: context.statistics.count(.malformed)
    }
  }

  // MARK: Hello

  private func receiveHello(_ datagram: RawSpan, _ header: LongHeader, path: NetworkPath, now: Instant) {
    guard let hello = try? HelloDatagram(datagram, header) else { return context.statistics.count(.malformed) }
    guard !context.configuration.isQuiet || knowsUs(hello, datagram) else { return context.statistics.count(.quiet) }
    let key = HalfOpenTable.key(datagram, from: path.remote)
    if let known = halfOpen.find(hello: key) {
      known.wasAskedAgain = true
      known.lonelyWelcomeAt = nil
      answerHello(known.handshake.welcome, to: path)
      return
    }
    guard admitsNewcomers, admit(hello, datagram, path: path, now: now) else { return }
    let id = unusedID()
    guard
      let handshake = ServerHandshake(
        hello: hello, datagram, serverConnectionID: ConnectionID(id), settings: settings,
        configuration: context.configuration, resetToken: resetToken(of: ConnectionID(id)), staticSecret: staticSecret,
        ephemeralSecret: context.entropy.secret(), key: context.key)
    else { return context.statistics.count(.badHandshake) }
    halfOpen.insert(HalfOpen(handshake: handshake, connectionID: id, hello: key, path: path, now: now), now: now)
    answerHello(handshake.welcome, to: path)
  }

  private func knowsUs(_ hello: HelloDatagram, _ datagram: RawSpan) -> Bool {
    let expected = HandshakeTranscript.mac(hello: datagram, cookie: hello.cookie, mac: hello.mac, server: id)
    return constantTimeEqual(datagram.extracting(hello.mac), expected.span.bytes)
  }

  /// Whether a Hello may cost public-key work. Under load its address must be proven first.
  private func admit(_ hello: HelloDatagram, _ datagram: RawSpan, path: NetworkPath, now: Instant) -> Bool {
    let configuration = context.configuration
    let fromThere = halfOpen.count(prefix: path.remote.prefixKey)
    let limit = configuration.maximumSessionsPerPrefix
    if halfOpen.count >= configuration.retryThreshold || fromThere >= limit {
      if cookies == nil {
        cookies = CookieJar(
          key: context.entropy.secret(), lifetime: configuration.cookieLifetime,
          keyLifetime: configuration.cookieKeyLifetime, now: now)
      }
      guard cookies?.accepts(hello, datagram, from: path.remote, now: now) == true else {
        guard retries.take(at: now) else {
          context.statistics.count(.tooManyHandshakes)
          return false
        }
        if let cookie = cookies?.bake(hello, datagram, from: path.remote, now: now, entropy: &context.entropy) {
          context.statistics.retriesSent += 1
          answerHello(RetryDatagram.write(answering: hello, cookie: cookie), to: path)
        }
        return false
      }
    }
    // Divided, since the limit may be the largest of numbers.
    guard halfOpen.count < configuration.halfOpenLimit, fromThere / Self.provenFactor < limit else {
      context.statistics.count(.tooManyHandshakes)
      return false
    }
    return true
  }

  private func answerHello(_ bytes: [UInt8], to path: NetworkPath) {
    if !reply(bytes, to: path) { context.statistics.count(.tooManyHandshakes) }
  }

  /// - Returns: false where too many answers wait already. What asked is counted where it is known what it was.
  @discardableResult
  func reply(_ bytes: [UInt8], to path: NetworkPath) -> Bool {
    guard replies.count < Self.replyLimit else { return false }
    replies.append((bytes, path))
    return true
  }

  // MARK: Finish

  /// Keeps a packet that overtook its Finish.
  func hold(_ datagram: RawSpan, path: NetworkPath, for entry: HalfOpen) {
    guard entry.held.count < context.configuration.heldPacketLimit, datagram.byteCount <= maximumDatagramSize else {
      return context.statistics.count(.heldOverflow)
    }
    entry.held.append((datagram.array(0..<datagram.byteCount), path))
  }

  private func receiveFinish(_ datagram: RawSpan, _ header: LongHeader, path: NetworkPath, now: Instant) {
    guard let key = header.destination.routingKey else { return context.statistics.count(.malformed) }
    // Repeated because our answer was lost: the session's own probes take care of that.
    if sessionsByConnectionID[key] != nil { return }
    if halfOpen.find(connectionID: key) == nil, isForeign(key, datagram, path: path) { return }
    guard admitsNewcomers, let entry = halfOpen.find(connectionID: key),
      let established = entry.handshake.receiveFinish(datagram, header, server: id)
    else { return context.statistics.count(.badHandshake) }
    halfOpen.remove(entry)
    let isPathProven = path.remote == entry.path.remote
    let parameters = established.parameters
    let client = established.client
    let (handle, refusal) = seat(client, parameters, path: path)
    let session = Session(
      Session.Opening(
        handle: handle, peer: client, localConnectionID: header.destination,
        peerConnectionID: entry.handshake.clientConnectionID, signingPolicy: settings.signingPolicy,
        peerParameters: parameters, keys: established.keys, path: path, isPathValidated: isPathProven,
        followsPeer: true, announcesLimits: settings.announcesLimits),
      context: context, now: now)
    if let sent = entry.lonelyWelcomeAt { session.learnRoundTrip(now - sent) }
    if !isPathProven {
      session.paths.challengeFirst(
        context.entropy.number(), received: datagram.byteCount, probeTimeout: session.probeTimeout, now: now)
    }
    open(session, refusal: refusal, now: now)
    for (packet, origin) in entry.held {
      var packet = packet
      packet.withUnsafeMutableBytes { bytes in
        var span = MutableRawSpan(_unsafeBytes: bytes)
        session.receive(&span, path: origin, now: now)
      }
    }
  }

  /// The handle of a newcomer's session, and why the newcomer may not stay, if so.
  private func seat(
    _ client: PlayerID, _ parameters: HandshakeParameters, path: NetworkPath
  ) -> (SessionHandle, Refusal?) {
    if let refusal = refusal(of: client, parameters) { return (nextHandle(), refusal) }
    guard let shard else { return (nextHandle(), hasPlace(for: client, path: path) ? nil : .full) }
    let number = shard.registry.enter(
      client, prefix: path.remote.prefixKey, shard: shard.index, context.configuration)
    guard let number else { return (nextHandle(), .full) }
    return (ServerShard.handle(number, shard: shard.index), nil)
  }

  private func refusal(of client: PlayerID, _ parameters: HandshakeParameters) -> Refusal? {
    if parameters.application != settings.application { return .wrongApplication }
    if parameters.signingPolicy != settings.signingPolicy { return .wrongSigningPolicy }
    return access.refusal(of: client)
  }

  private func hasPlace(for client: PlayerID, path: NetworkPath) -> Bool {
    // Who comes back takes their own place.
    if players[client] != nil { return true }
    let configuration = context.configuration
    let fromThere = sessionsPerPrefix[path.remote.prefixKey] ?? 0
    return players.count < configuration.maximumSessions && fromThere < configuration.maximumSessionsPerPrefix
  }

  /// Ends a session whose player has come to another shard.
  package func supersede(_ handle: SessionHandle, now: Instant) {
    guard let session = sessions[handle], players[session.peer] === session else { return }
    players[session.peer] = nil
    replace(session, now: now)
  }

  private func replace(_ older: Session, now: Instant) {
    older.close(.replaced, reason: "", now: now)
    vacate(older)
    markReady(older)
    boundFarewells(older)
  }

  /// Sessions that have no place here, and stay only to say so to whoever made them: each holds keys, and somebody with
  /// an address of their own makes as many as they like. Beyond the limit they are forgotten without a word.
  private func boundFarewells(_ session: Session) {
    if sessions.count - players.count > context.configuration.farewellLimit { session.forget() }
  }

  /// Puts a session into the tables; who is refused is told so inside of it, and nothing else.
  private func open(_ session: Session, refusal: Refusal?, now: Instant) {
    sessions[session.handle] = session
    for id in session.issuedIDs.all { if let key = id.routingKey { sessionsByConnectionID[key] = session } }
    markReady(session)
    if let refusal {
      context.statistics.refusals += 1
      session.close(refusal.code, reason: "", now: now)
      return boundFarewells(session)
    }
    if let older = players.updateValue(session, forKey: session.peer) { replace(older, now: now) }
    let prefix = session.peerAddress.prefixKey
    session.admittedPrefix = prefix
    sessionsPerPrefix[prefix, default: 0] += 1
    session.announce()
    session.news.observation.renew()
    tellAddresses(to: session)
  }
}
