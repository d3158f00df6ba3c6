import RoamkeyCrypto
import RoamkeyWire

/// The sessions that the datagrams of a batch are for, in order: their memory is asked for while others are worked on
/// (Session+Prefetch.swift).
struct ExpectedSessions {
  /// Not counted as references: that would wait for the memory. Whoever ends a session empties this.
  private var sessions: [Unmanaged<Session>] = []
  /// Which of them is next to be asked for.
  private var next = 0

  /// How many packets earlier than it is needed each part is asked for: what one part tells the next begins with.
  static let objectLead = 6
  private static let roomsLead = 4
  private static let lanesLead = 2

  mutating func removeAll() {
    sessions.removeAll(keepingCapacity: true)
    next = 0
  }

  mutating func append(_ address: UnsafeRawPointer) { sessions.append(.fromOpaque(address)) }

  /// A packet is about to be received: asks for the session of one behind it.
  /// - Returns: a session whose object is there, and of which the endpoint's own tables are needed soon.
  mutating func advance() -> Unmanaged<Session>? {
    guard next < sessions.count + Self.objectLead else { return nil }
    defer { next += 1 }
    if next < sessions.count { prefetch(sessions[next].toOpaque(), bytes: Session.prefetchedBytes) }
    return session(next - (Self.objectLead - Self.roomsLead))
  }

  /// A packet was opened, which gave time for memory to come: asks for what sessions behind it point to.
  func advanceRooms() {
    guard !sessions.isEmpty else { return }
    let newest = next - 1
    session(newest - (Self.objectLead - Self.roomsLead))?._withUnsafeGuaranteedRef { $0.prefetchRooms() }
    session(newest - (Self.objectLead - Self.lanesLead))?._withUnsafeGuaranteedRef { $0.channels.prefetchLanes() }
  }

  private func session(_ place: Int) -> Unmanaged<Session>? {
    sessions.indices.contains(place) ? sessions[place] : nil
  }
}

extension ServerEndpoint {
  /// Takes note of whom the next datagrams are for.
  package func expect(_ count: Int, _ datagram: (Int) -> UnsafeRawBufferPointer) {
    context.expected.removeAll()
    // One by itself is there as soon as what it needs; and what few need is in the processor's caches.
    guard count > 1, hasManyPeers else { return }
    for i in 0..<count {
      if let session = address(ofSessionFor: datagram(i).bytes) { context.expected.append(session) }
    }
    for _ in 0..<ExpectedSessions.objectLead {
      prefetchExpected()
      context.expected.advanceRooms()
    }
  }

  /// A packet is about to be received.
  func prefetchExpected() {
    context.expected.advance()?._withUnsafeGuaranteedRef { session in
      sessions.prefetch(session.handle)
      timers.prefetch(session)
    }
  }

  /// A session has sent what it had to send: the one after the next is asked for, and what the next points to.
  func prefetchReady() {
    guard ready.count > 1, hasManyPeers else { return }
    prefetch(Unmanaged.passUnretained(ready[1]).toOpaque(), bytes: Session.prefetchedBytes)
    ready[0].prefetchRooms()
  }

  private func address(ofSessionFor datagram: RawSpan) -> UnsafeRawPointer? {
    var position = 1
    guard datagram.byteCount > 0, ShortHeader.isShort(datagram.unsafeLoad(as: UInt8.self)),
      let id: UInt64 = try? datagram.readInteger(at: &position)
    else { return nil }
    return sessionsByConnectionID.address(of: id)
  }
}
