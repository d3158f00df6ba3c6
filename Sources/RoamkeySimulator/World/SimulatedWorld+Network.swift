import RoamkeyEngine
package import RoamkeyWire

/// The network between the hosts, and what may happen to it.
extension SimulatedWorld {
  // MARK: The way of a datagram

  /// Puts the host's next datagram, if there is one, on its way.
  func transmitNext(of host: SimulatedHost) -> Bool {
    var destination: NetworkAddress?
    // With more room than is promised, so that too long a datagram is a finding and not a trap.
    let bytes = [UInt8](unsafeUninitializedCapacity: 2 * maximumDatagramSize) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      var output = OutputRawSpan(buffer: raw, initializedCount: 0)
      destination = host.endpoint.pollTransmit(into: &output, now: now)?.remote
      count = output.finalize(for: raw)
    }
    guard let destination else {
      if !bytes.isEmpty { fail("\(host.name) left \(bytes.count) bytes behind") }
      return false
    }
    if bytes.isEmpty || bytes.count > maximumDatagramSize {
      fail("\(host.name) sent a datagram of \(bytes.count) bytes")
    }
    host.counters.datagramsSent += 1
    host.counters.bytesSent += bytes.count
    if host === serverHost, let problem = ledger.onSent(bytes.count, to: destination) { fail(problem) }
    let datagram = Datagram(
      time: now, source: host.outside, destination: destination, bytes: bytes, heardAt: host.heardAt)
    trace.note(UInt64(truncatingIfNeeded: now.nanoseconds))
    trace.note(UInt64(truncatingIfNeeded: destination.ip) ^ UInt64(destination.port) << 32)
    trace.note(datagram: bytes)
    carry(datagram, from: host)
    return true
  }

  private func carry(_ datagram: Datagram, from host: SimulatedHost) {
    guard host.isUp else { return }
    // Taps sit where a wiretapper would: behind the sender's access, before anything is lost.
    var isDropped = false
    for tap in taps where tap(datagram) == .drop { isDropped = true }
    guard !isDropped else { return }
    let receiver = hostsByAddress[datagram.destination]
    for up in host.uplink.carry(using: &random) {
      for down in receiver?.downlink.carry(using: &random) ?? [.direct] {
        var copy = datagram
        if up.isCorrupted || down.isCorrupted { flipBit(of: &copy.bytes) }
        queue.insert(.arrival(copy), at: now + up.delay + down.delay)
      }
    }
  }

  private func flipBit(of bytes: inout [UInt8]) {
    guard let index = bytes.indices.randomElement(using: &random) else { return }
    bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
  }

  /// Whoever holds the address now gets it.
  func arrive(_ datagram: Datagram) {
    if let listener = listeners[datagram.destination] { return listener(datagram) }
    guard let host = hostsByAddress[datagram.destination] else {
      strayDatagrams += 1
      return
    }
    guard host.isUp else { return }
    if host === serverHost {
      ledger.onReceived(datagram)
    } else if datagram.source == serverHost.outside {
      host.heard(at: datagram.destination)
    }
    host.counters.datagramsReceived += 1
    host.counters.bytesReceived += datagram.bytes.count
    trace.note(UInt64(datagram.bytes.count) | 1 << 63)
    var bytes = datagram.bytes
    let path = NetworkPath(local: host.inside, remote: datagram.source)
    bytes.withUnsafeMutableBytes { buffer in
      var span = MutableRawSpan(_unsafeBytes: buffer)
      host.endpoint.receive(&span, path: path, now: now)
    }
    touch(host)
  }

  // MARK: Watching and meddling

  /// Shows every datagram that a host sends to somebody on the way, who may keep it from arriving.
  package func tap(_ tap: @escaping (Datagram) -> TapVerdict) { taps.append(tap) }

  /// Sends bytes with any source address, as attackers can. They are not lost.
  package func inject(
    _ bytes: [UInt8], from source: NetworkAddress, to destination: NetworkAddress = serverAddress,
    after delay: Duration = .zero
  ) {
    queue.insert(
      .arrival(Datagram(time: now, source: source, destination: destination, bytes: bytes)), at: now + delay)
  }

  /// Sends a datagram again, or first, as somebody on the way can: from any address, as it was or changed. What its
  /// sender could prove, it still proves.
  package func forward(
    _ datagram: Datagram, as bytes: [UInt8]? = nil, from source: NetworkAddress? = nil, after delay: Duration
  ) {
    var copy = datagram
    copy.bytes = bytes ?? datagram.bytes
    copy.source = source ?? datagram.source
    queue.insert(.arrival(copy), at: now + delay)
  }

  /// Gives somebody an address of their own: who is no host, but gets what is sent there.
  package func hear(_ address: NetworkAddress, _ listener: @escaping (Datagram) -> Void) {
    listeners[address] = listener
  }

  /// Bytes that the server sent to an address, and got from it.
  package func serverTraffic(with address: NetworkAddress) -> (sent: Int, received: Int) { ledger.totals(address) }

  /// Changes how a player's access treats datagrams, both ways.
  package func setConditions(_ conditions: NetworkConditions, of host: SimulatedHost) {
    host.uplink.conditions = conditions
    host.downlink.conditions = conditions
  }

  // MARK: Moving

  /// The player's NAT forgets its mapping and makes another: the same IP address with another port, which the player
  /// cannot see. What is sent to the old port goes nowhere.
  package func rebind(_ player: SimulatedPlayer) {
    player.rebindings += 1
    var address = player.host.outside
    address.port = UInt16(truncatingIfNeeded: 40_000 + player.rebindings)
    setOutside(address, of: player.host)
  }

  /// The player goes to another network, with another IP address.
  /// - Parameters:
  ///   - isNoticed: whether its system tells it so, as Linux does.
  ///   - place: the number of the network; one where it never was by default.
  package func move(_ player: SimulatedPlayer, isNoticed: Bool = true, toPlace place: Int? = nil) {
    player.place = place ?? player.place + 1
    let address = Self.address(player: player.index, place: player.place)
    let before = player.host.inside
    player.host.inside = address
    setOutside(address, of: player.host)
    if isNoticed {
      player.client.localAddressChanged(from: before, to: address, now: now)
      touch(player.host)
    }
  }

  private func setOutside(_ address: NetworkAddress, of host: SimulatedHost) {
    if hostsByAddress[host.outside] === host { hostsByAddress[host.outside] = nil }
    host.outside = address
    hostsByAddress[address] = host
  }
}
