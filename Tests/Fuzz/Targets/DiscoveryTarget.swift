import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// A browser, a server, and neighbours who sign beacons of any kind with a key of their own.
  static let discovery = FuzzTarget(
    "discovery", longestInput: 500,
    milestones: ["asked", "answered", "found", "signedByInput", "forged", "left", "expired", "limited", "unasked"]
  ) { input, reached in
    var world = DiscoveryWorld(input.byte())
    var orders = 0
    while !input.isEmpty, orders < 80 {
      orders += 1
      world.run(&input, &reached)
    }
    world.note(&reached)
  }
}

/// A link with a browser at `.1`, a server at `.20`, and whoever an input is.
private struct DiscoveryWorld {
  private static let interface: UInt32 = 2
  private static let application = "fuzz/1"

  private var now = Instant(nanoseconds: 1_000_000_000)
  private var seeker: ServerSeeker
  private let responder: BeaconResponder
  private let links = LocalLinks([
    .init(interface: 1, address: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0), prefixLength: 8, isLoopback: true),
    .init(interface: interface, address: NetworkAddress(ipv4: 192, 0, 2, 1, port: 0), prefixLength: 24),
    .init(interface: interface, address: NetworkAddress(ip: 0xfe80 << 112 | 1, port: 0, scope: 2), prefixLength: 64),
  ])
  private var questions: [[UInt8]] = []
  private var beacons: [[UInt8]] = []
  private var seeks = 0
  private var hasExpired = false
  private var hasSigned = false
  private var hasLeft = false

  init(_ bits: UInt8) {
    seeker = ServerSeeker(
      application: bits & 1 == 0 ? Self.application : nil, only: bits & 2 == 0 ? nil : FuzzKeys.client,
      questions: bits & 4 == 0 ? nil : 3, entropy: .seeded(1), now: now)
    let announcement = ServerAnnouncement(
      application: Self.application, name: bits & 8 == 0 ? "Ada's" : nil, address: .any(port: 7447))
    responder = BeaconResponder(key: FuzzKeys.make(.server), announcement, instance: 7)
  }

  mutating func run(_ input: inout FuzzInput, _ reached: inout Milestones) {
    let order = input.byte()
    let detail = order >> 4
    switch order & 0x0f {
    case 0, 1: pass(.milliseconds(Int64(1 + detail) * 40))
    case 2: pass(.milliseconds(Int64(1 + detail) * 500))
    case 3, 4: ask(questions.last ?? [], from: detail)
    case 5: ask(altered(questions.last ?? [0], &input), from: detail)
    case 6: ask(input.counted(), from: detail)
    case 7, 8: if let beacon = beacons.last { hear(beacon, from: 20) }
    case 9: if let beacon = beacons.last { hear(altered(beacon, &input), from: 20, isForged: true) }
    case 10: if !beacons.isEmpty { hear(beacons[Int(input.byte()) % beacons.count], from: detail) }
    case 11, 12: sign(&input, detail)
    case 13: hear(input.counted(), from: detail, isForged: true)
    case 14:
      for answer in responder.farewells(now: now) { hear(answer.bytes, from: 20) }
      hasLeft = true
    default: pass(.seconds(4))
    }
    check()
  }

  func note(_ reached: inout Milestones) {
    let marks = [
      !questions.isEmpty, !beacons.isEmpty, seeker.servers.contains { $0.server == FuzzKeys.server },
      hasSigned && seeker.servers.contains { $0.server == FuzzKeys.client }, seeker.statistics.drops["forged"] != nil,
      hasLeft,
      hasExpired, responder.statistics.drops["limited"] != nil, seeker.statistics.drops["unasked"] != nil,
    ]
    for (place, isReached) in marks.enumerated() where isReached { reached.reach(place) }
  }

  private mutating func pass(_ duration: Duration) {
    let end = now + duration
    var steps = 0
    while seeker.next <= end {
      steps += 1
      precondition(steps < 1000, "the seeker's timer does not get on")
      now = max(now, seeker.next)
      if seeker.expire(now: now) { hasExpired = true }
      if let question = seeker.ask(now: now) { questions.append(question) }
    }
    now = end
    questions.removeFirst(max(0, questions.count - 8))
    beacons.removeFirst(max(0, beacons.count - 16))
  }

  // MARK: The server

  private mutating func ask(_ datagram: [UInt8], from detail: UInt8) {
    let to = detail & 1 == 0 ? LocalLinks.group4 : NetworkAddress(ipv4: 192, 0, 2, 20, port: 0)
    let arrival = Arrival(
      source: NetworkAddress(ipv4: 192, 0, detail & 2 == 0 ? 2 : 3, 10 + detail, port: 40_000 + UInt16(seeks & 63)),
      destination: to, interface: Self.interface)
    seeks += 1
    let answer = responder.receive(datagram.span.bytes, arrival, links: serverLinks, now: now) {
      ServerPopulation(players: 3, capacity: 8)
    }
    guard let answer else { return }
    precondition(answer.bytes.count <= datagram.count, "an answer is longer than its question")
    precondition(answer.to == arrival.source, "an answer goes elsewhere")
    precondition(detail & 3 == 0, "a stranger is answered")
    guard let beacon = try? BeaconDatagram(answer.bytes.span.bytes), let seek = try? SeekDatagram(datagram.span.bytes)
    else { preconditionFailure("an answer that is none") }
    precondition(beacon.nonce == seek.nonce, "an answer to another question")
    beacons.append(answer.bytes)
  }

  private var serverLinks: LocalLinks {
    LocalLinks([
      .init(interface: Self.interface, address: NetworkAddress(ipv4: 192, 0, 2, 20, port: 0), prefixLength: 24)
    ])
  }

  // MARK: The browser

  private mutating func hear(_ datagram: [UInt8], from host: UInt8, isForged: Bool = false) {
    let arrival = Arrival(
      source: NetworkAddress(ipv4: 192, 0, 2, host, port: 7446),
      destination: NetworkAddress(ipv4: 192, 0, 2, 1, port: 0), interface: Self.interface)
    let before = seeker.servers.count
    let isNews = seeker.receive(datagram.span.bytes, arrival, links: links, now: now)
    if isForged { precondition(!isNews && seeker.servers.count == before, "a forged beacon is believed") }
  }

  /// A beacon of a neighbour's, who signs what the input says.
  private mutating func sign(_ input: inout FuzzInput, _ detail: UInt8) {
    guard let question = questions.last, let seek = try? SeekDatagram(question.span.bytes) else { return }
    let bits = input.byte()
    let host = 30 + detail
    var beacon = BeaconDatagram(
      nonce: seek.nonce, publicKey: FuzzKeys.client.publicKey.bytes, instance: UInt64(bits & 3),
      sequence: UInt64(input.byte()), address: NetworkAddress(ipv4: 192, 0, 2, host, port: 7447), players: 1,
      capacity: UInt32(bits), application: Self.application, name: bits & 4 == 0 ? nil : "B")
    beacon.isFarewell = bits & 8 != 0
    // What later versions may add, or what the input has in the place of all of it.
    let bytes = bits & 16 == 0 ? beacon.encoded() + input.take(Int(bits >> 5)) : input.counted()
    let message = domainLabel("roamkey/1 beacon") + bytes
    let datagram = bytes + FuzzKeys.sign(message.span.bytes, as: .client)
    hasSigned = true
    beacons.append(datagram)
    hear(datagram, from: host)
  }

  private func check() {
    precondition(seeker.servers.count <= 256, "the list has no end")
    let keys = Set(seeker.servers.map(\.server))
    precondition(keys.isSubset(of: [FuzzKeys.client, FuzzKeys.server]), "a server that has signed nothing is listed")
  }
}

/// A copy with one bit of it changed.
private func altered(_ datagram: [UInt8], _ input: inout FuzzInput) -> [UInt8] {
  var copy = datagram
  if !copy.isEmpty { copy[input.int16() % copy.count] ^= UInt8(1) << (input.byte() & 7) }
  return copy
}
