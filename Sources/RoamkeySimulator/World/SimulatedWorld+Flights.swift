import RoamkeyEngine
import RoamkeyWire

/// The way of a datagram:
///
///  1. the endpoint is asked for all that leaves now, in one batch
///  2. the sender's NAT gives it an outside address
///  3. taps see it, as a wiretapper outside of the sender's door
///  4. the sender's uplink, and the line of its household
///  5. the core: routed by its destination, unless a cut stops it
///  6. the line of the receiver's household, and its NAT
///  7. the receiver's downlink
///  8. the receiver's socket: to the endpoint, or into the buffer of a process that does not read
extension SimulatedWorld {
  /// Puts what the host has to send now on its way, as much as fits into a batch.
  /// - Returns: how many datagrams.
  func transmit(from host: SimulatedHost, time: Instant) -> Int {
    batch.removeAll()
    host.endpoint.fill(&batch, now: time)
    for i in 0..<batch.count { send(UnsafeRawBufferPointer(batch.bytes(i)), batch.path(i), from: host) }
    return batch.count
  }

  private func send(_ datagram: UnsafeRawBufferPointer, _ path: NetworkPath, from host: SimulatedHost) {
    let count = datagram.count
    if count == 0 { fail("\(host.name) sent an empty datagram") }
    host.counters.datagramsSent += 1
    host.counters.bytesSent += count
    if host === serverHost, let problem = ledger.onSent(count, to: path.remote) { fail(problem) }
    let bytes = Array(datagram)
    trace.note(UInt64(truncatingIfNeeded: now.nanoseconds))
    trace.note(UInt64(truncatingIfNeeded: path.remote.ip) ^ UInt64(path.remote.port) << 32)
    trace.note(datagram: bytes)
    dispatch(bytes, path, from: host)
  }

  private func dispatch(_ bytes: [UInt8], _ path: NetworkPath, from host: SimulatedHost) {
    guard let (attachment, port) = host.way(path) else {
      host.unroutableDatagrams += 1
      return trace.note(.unroutable)
    }
    let interface = attachment.interface
    guard interface.state == .up else { return }
    guard let source = attachment.leave(from: port, to: path.remote, now: now) else { return trace.note(.exhausted) }
    trace.note(UInt64(source.port))
    let datagram = Datagram(
      time: now, source: source, destination: path.remote, bytes: bytes, author: host.index,
      serverProcess: serverHost.formerProcesses.count, proofs: host.proofs, proofCount: host.proofs.addresses.count)
    var isDropped = false
    for tap in taps where tap(datagram) == .drop { isDropped = true }
    guard !isDropped else { return }
    let passage = interface.uplink.carry(bytes.count, now: now, using: &random)
    proceed(Flight(datagram, sender: host.index), passage, to: attachment.nat.map { .line($0) } ?? .core)
  }

  /// Takes a datagram on from where it is.
  func travel(_ flight: Flight) {
    switch flight.leg {
    case .line(let nat):
      proceed(flight, nat.uplink.carry(flight.size, now: now, using: &random), to: .core)
    case .core:
      route(flight)
    case .nat(let nat):
      let datagram = flight.datagram
      let inside = nat.translateInbound(from: datagram.source, to: datagram.destination.port, now: now)
      guard let inside else { return trace.note(.filtered) }
      // Who has left the household has no address there any more, though a mapping may.
      if let attachment = attachmentsByInside[inside.ip], attachment.nat === nat, listens(inside.port, attachment) {
        descend(flight, to: attachment, port: inside.port)
      } else {
        strayDatagrams += 1
      }
    case .socket(let attachment, let port):
      arrive(flight.datagram, at: attachment, port: port)
    case .elsewhere:
      let datagram = flight.datagram
      if let listener = listeners[datagram.destination] { listener(datagram) } else { strayDatagrams += 1 }
    }
  }

  private func route(_ flight: Flight) {
    let destination = flight.datagram.destination
    let isFree = listeners[destination] == nil
    if isFree, let (attachment, port) = socket(at: destination) {
      if !isCut(flight, to: attachment.interface.host) { descend(flight, to: attachment, port: port) }
    } else if isFree, let nat = natsByIP[destination.ip] {
      let inside = nat.owner(of: destination.port)
      guard !isCut(flight, to: inside.flatMap { attachmentsByInside[$0.ip]?.interface.host }) else { return }
      // Somebody on the way loses nothing on anybody's line.
      guard flight.sender != nil else { return proceed(flight, to: .nat(nat), at: now) }
      proceed(flight, nat.downlink.carry(flight.size, now: now, using: &random), to: .nat(nat))
    } else if !isCut(flight, to: nil) {
      proceed(flight, to: .elsewhere, at: now)
    }
  }

  /// The socket behind an address that is not a NAT's.
  private func socket(at destination: NetworkAddress) -> (Attachment, port: UInt16)? {
    guard let attachment = attachmentsByIP[destination.ip],
      let port = attachment.insidePort(of: destination.port), listens(port, attachment)
    else { return nil }
    return (attachment, port)
  }

  private func listens(_ port: UInt16, _ attachment: Attachment) -> Bool {
    attachment.interface.host.listens(on: port, of: attachment.interface, now: now)
  }

  private func descend(_ flight: Flight, to attachment: Attachment, port: UInt16) {
    let socket = Flight.Leg.socket(attachment, port: port)
    guard flight.sender != nil else { return proceed(flight, to: socket, at: now) }
    let passage = attachment.interface.downlink.carry(flight.size, now: now, using: &random)
    proceed(flight, passage, to: socket)
  }

  private func isCut(_ flight: Flight, to host: SimulatedHost?) -> Bool {
    guard !cuts.isEmpty, let sender = flight.sender else { return false }
    guard cuts.contains(where: { $0.stops(from: sender, to: host?.index) }) else { return false }
    cutDatagrams += 1
    trace.note(.cut)
    return true
  }

  // MARK: Between two places

  private func proceed(_ flight: Flight, _ passage: AccessLink.Passage, to leg: Flight.Leg) {
    switch passage {
    case .dropped(let cause):
      trace.note(cause)
    case .carried(let transit, let copy):
      if let copy {
        let second = flight.copy()
        if copy.isCorrupted { flipBit(of: &second.datagram.bytes) }
        proceed(second, to: leg, at: copy.arrival)
      }
      if transit.isCorrupted { flipBit(of: &flight.datagram.bytes) }
      proceed(flight, to: leg, at: transit.arrival)
    }
  }

  /// What takes no time happens at once, save the arrival of what is only just being sent: the sender has its turn
  /// first.
  private func proceed(_ flight: Flight, to leg: Flight.Leg, at arrival: Instant) {
    flight.leg = leg
    if arrival > now || (flight.isBeingSent && leg.isLast) {
      flight.isBeingSent = false
      queue.insert(.flight(flight), at: arrival)
    } else {
      travel(flight)
    }
  }

  private func flipBit(of bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
  }

  // MARK: Arrival

  private func arrive(_ datagram: Datagram, at attachment: Attachment, port: UInt16) {
    let interface = attachment.interface
    let host = interface.host
    // It may have moved meanwhile, or closed the socket, or its router have given the port to another.
    guard interface.attachments.contains(where: { $0 === attachment }), listens(port, attachment),
      attachment.nat != nil || attachment.insidePort(of: datagram.destination.port) == port
    else {
      strayDatagrams += 1
      return
    }
    guard interface.state == .up else { return }
    let inside = attachment.inside(port: port)
    switch host.state {
    case .running:
      receive(datagram, at: host, inside)
    case .suspended:
      guard host.socketBufferBytes + datagram.bytes.count <= host.socketBufferLimit else {
        return miss(1, at: host)
      }
      host.socketBuffer.append(SimulatedHost.Unread(datagram: datagram, inside: inside))
      host.socketBufferBytes += datagram.bytes.count
    case .stopped:
      miss(1, at: host)
    }
  }

  func miss(_ count: Int, at host: SimulatedHost) {
    host.missedDatagrams += count
    trace.note(.missed)
  }

  /// Hands a datagram to the host's process.
  func receive(_ datagram: Datagram, at host: SimulatedHost, _ inside: NetworkAddress) {
    if host === serverHost {
      ledger.onReceived(datagram, serverProcess: serverHost.formerProcesses.count)
      for arrival in arrivals { arrival(datagram) }
    } else if datagram.isServers, datagram.serverProcess == serverHost.formerProcesses.count {
      host.proofs.add(datagram.destination)
      // Who had it before may have shown it to this one, and this one answers for both.
      for address in datagram.passedOnFrom { host.proofs.add(address) }
    }
    host.process.noteArrival(sentAt: datagram.time)
    host.counters.datagramsReceived += 1
    host.counters.bytesReceived += datagram.bytes.count
    trace.note(UInt64(truncatingIfNeeded: now.nanoseconds))
    trace.note(UInt64(datagram.bytes.count) | UInt64(host.index) << 32 | 1 << 63)
    var bytes = datagram.bytes
    let path = NetworkPath(local: inside, remote: datagram.source)
    bytes.withUnsafeMutableBytes { buffer in
      var span = MutableRawSpan(_unsafeBytes: buffer)
      host.endpoint.receive(&span, path: path, now: host.clock.reading(at: now))
    }
    touch(host)
  }
}
