internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

/// The threads of a server.
extension Server {
  /// One thread, which is the whole server, or the app's own.
  static func start(
    _ key: consuming PlayerKey, _ settings: ServerSettings, _ configuration: RoamkeyConfiguration,
    listen: NetworkAddress, _ loop: LoopMode, _ recorder: Recorder?
  ) throws(UDPError) -> (ServerLink, [UDPDriver<ServerEndpoint>]) {
    let endpoint = ServerEndpoint(
      key: key, settings: settings, configuration: configuration, entropy: .system, recorder: recorder)
    let link = ServerLink(configuration, clock: endpoint.clock)
    let driver = try UDPDriver(
      bind: listen, name: "roamkey-server", isPolled: loop == .polled, mobility: .host, handler: endpoint,
      onTurn: { endpoint, now in link.turn(endpoint, now) })
    return (link, [driver])
  }

  /// Several threads, each with a socket of its own at the same port, and with the sessions that begin there.
  static func start(
    _ key: consuming PlayerKey, _ settings: ServerSettings, _ configuration: RoamkeyConfiguration,
    listen: NetworkAddress, threads: Int, _ recorder: Recorder?
  ) throws(UDPError) -> (ServerLink, [UDPDriver<ServerEndpoint>]) {
    let clock = LocalClock(random: SystemRandom.number())
    let link = ServerLink(configuration, clock: clock, shards: threads)
    let map = ShardMap(key: (SystemRandom.number(), SystemRandom.number()), count: threads)
    let registry = PlayerRegistry(supersede: { [weak link] in link?.supersede($0) })
    var inboxes: [DatagramInbox] = []
    for _ in 0..<threads { inboxes.append(try DatagramInbox()) }
    // Of what is only sealed there is nothing to verify.
    let helping = settings.signingPolicy == .everyPacket ? HelpingThreads(inboxes) : nil
    let address = try UDPDriver<ServerEndpoint>.unused(listen)
    var drivers: [UDPDriver<ServerEndpoint>] = []
    for index in 0..<threads {
      let shard = ServerShard(
        index: index, map: map, clock: clock, registry: registry, board: helping?.member(index),
        handOver: { [inboxes] datagram, path, owner in inboxes[owner].post(datagram, path: path) })
      let copy = key.withSeed { PlayerKey(seed: SecretBytes(copying: $0)) }
      let endpoint = ServerEndpoint(
        key: copy, settings: settings, configuration: configuration, entropy: .system, shard: shard,
        recorder: recorder)
      drivers.append(
        try UDPDriver(
          bind: address, name: "roamkey-srv-\(index)", sharesPort: true, mobility: .host, inbox: inboxes[index],
          helper: helping?.member(index), handler: endpoint, onTurn: { endpoint, now in link.turn(endpoint, now) }))
    }
    return (link, drivers)
  }
}
