import RoamkeyCrypto
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// A link with an IPv4 and an IPv6 network, a browser and servers on it, in virtual time. What is sent arrives at once,
/// unless a test carries it by hand.
final class Neighbourhood {
  static let interface: UInt32 = 2
  static let links = LocalLinks([
    .init(interface: 1, address: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0), prefixLength: 8, isLoopback: true),
    .init(interface: interface, address: NetworkAddress(ipv4: 192, 0, 2, 1, port: 0), prefixLength: 24),
    .init(interface: interface, address: linkLocal(1), prefixLength: 64),
  ])

  static func linkLocal(_ number: UInt8, port: UInt16 = 0) -> NetworkAddress {
    NetworkAddress(ip: 0xfe80 << 112 | UInt128(number), port: port, scope: interface)
  }

  static func address(_ number: UInt8, port: UInt16 = 0) -> NetworkAddress {
    NetworkAddress(ipv4: 192, 0, 2, number, port: port)
  }

  var now = Instant(nanoseconds: 1_000_000_000)
  var seeker: ServerSeeker
  /// The newest question.
  var question: [UInt8] = []

  init(application: String? = "galaxy/1", only: PlayerID? = nil, questions: UInt64? = nil, seed: UInt64 = 1) {
    seeker = ServerSeeker(
      application: application, only: only, questions: questions, entropy: .seeded(seed),
      now: Instant(nanoseconds: 1_000_000_000))
  }

  /// Lets time pass, and takes the questions that fall due; each goes to `servers`, whose answers come back after
  /// `delay`.
  func pass(_ duration: Duration, _ servers: [NeighbourServer] = [], delay: Duration = .milliseconds(2)) {
    let end = now + duration
    while true {
      if seeker.next <= now {
        _ = seeker.expire(now: now)
        if let bytes = seeker.ask(now: now) {
          question = bytes
          let answers = servers.compactMap { server in server.answer(bytes, now: now).map { ($0, server.address) } }
          for (answer, address) in answers { receive(answer, from: address, at: now + delay) }
        }
      }
      guard seeker.next < end else { break }
      now = max(now, seeker.next)
    }
    now = end
  }

  /// Lets time pass until the next question has left.
  func passToQuestion() {
    let count = seeker.statistics.sent
    while seeker.statistics.sent == count { pass(max(seeker.next - now, .zero) + .nanoseconds(1)) }
  }

  @discardableResult
  func receive(
    _ datagram: [UInt8], from source: NetworkAddress, interface: UInt32 = interface, at time: Instant? = nil
  ) -> Bool {
    let arrival = Arrival(source: source, destination: Self.address(1), interface: interface)
    return seeker.receive(datagram.span.bytes, arrival, links: Self.links, now: time ?? now)
  }

  var names: [String] { seeker.servers.compactMap(\.name).sorted() }
}

/// A server of the neighbourhood.
final class NeighbourServer {
  let id: PlayerID
  var address: NetworkAddress
  let responder: BeaconResponder
  var population = ServerPopulation(players: 3, capacity: 64)

  init(
    _ name: String?, seed: UInt16, at address: NetworkAddress = Neighbourhood.address(20, port: 7446),
    application: String = "galaxy/1", listen: NetworkAddress = .any(port: 7447), instance: UInt64 = 1
  ) {
    var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: 32)
    bytes[0] = UInt8(seed >> 8)
    let key = PlayerKey(seed: SecretBytes(wiping: &bytes))
    id = key.id
    self.address = address
    let announcement = ServerAnnouncement(application: application, name: name, address: listen)
    responder = BeaconResponder(key: key, announcement, instance: instance)
  }

  /// Its answer to somebody on the link, if there is one.
  /// - Parameter own: where it is on the link; nil: at its usual address.
  func answer(
    _ question: [UInt8], from source: NetworkAddress = Neighbourhood.address(10, port: 40_000),
    to destination: NetworkAddress = LocalLinks.group4, interface: UInt32 = Neighbourhood.interface, now: Instant,
    at own: NetworkAddress? = nil
  ) -> [UInt8]? {
    let arrival = Arrival(source: source, destination: destination, interface: interface)
    let links = links(own ?? address)
    return responder.receive(question.span.bytes, arrival, links: links, now: now) { population }?.bytes
  }

  private func links(_ own: NetworkAddress) -> LocalLinks {
    var (own, entries) = (own, Neighbourhood.links.entries.filter { $0.isLoopback })
    own.port = 0
    entries.append(.init(interface: Neighbourhood.interface, address: own, prefixLength: own.isIPv4 ? 24 : 64))
    let number = UInt8(truncatingIfNeeded: own.ip)
    if own.isIPv4 {
      let linkLocal = Neighbourhood.linkLocal(number)
      entries.append(.init(interface: Neighbourhood.interface, address: linkLocal, prefixLength: 64))
    }
    return LocalLinks(entries)
  }
}
