import RoamkeyEngine
import RoamkeyWire

/// Orders of an input: a byte says which, those behind it how.
extension SessionWorld {
  mutating func run(_ input: inout FuzzInput) {
    let order = input.byte()
    let detail = order >> 4
    let isToServer = detail & 1 == 0
    switch order & 0x0f {
    case 0: hand(count: 1 + Int(detail >> 1), toServer: isToServer)
    case 1: drop(1 + Int(detail >> 1), toServer: isToServer)
    case 2: duplicate(input.number(below: 32), toServer: isToServer)
    case 3: overtake(input.number(below: 32), toServer: isToServer)
    case 4: alter(&input, detail, toServer: isToServer)
    case 5: passTime(Self.pauses[Int(detail)])
    case 6, 7: send(&input, detail, toServer: true)
    case 8: send(&input, detail, toServer: false)
    case 9: (isToServer ? server : client).consume(1 + Int(detail), now: now)
    case 10: roam(detail)
    case 11: change(detail)
    case 12: forward(input.number(below: 32), detail)
    case 13: forge(&input, detail)
    default: exchange()
    }
    flush()
  }

  private static let pauses: [Duration] = [
    .milliseconds(1), .milliseconds(5), .milliseconds(20), .milliseconds(30), .milliseconds(50), .milliseconds(80),
    .milliseconds(120), .milliseconds(200), .milliseconds(350), .milliseconds(500), .seconds(1), .seconds(2),
    .seconds(5), .seconds(20), .seconds(60), .seconds(250),
  ]

  // MARK: The network

  private mutating func take(_ place: Int, toServer isToServer: Bool) -> Flight? {
    if isToServer { return toServer.isEmpty ? nil : toServer.remove(at: place % toServer.count) }
    return toClient.isEmpty ? nil : toClient.remove(at: place % toClient.count)
  }

  private func look(_ place: Int, toServer isToServer: Bool) -> Flight? {
    let flights = isToServer ? toServer : toClient
    return flights.isEmpty ? nil : flights[place % flights.count]
  }

  private mutating func hand(count: Int, toServer isToServer: Bool) {
    for _ in 0..<count {
      guard let flight = take(0, toServer: isToServer) else { return }
      deliver(flight, toServer: isToServer)
    }
  }

  private mutating func drop(_ count: Int, toServer isToServer: Bool) {
    for _ in 0..<count { _ = take(0, toServer: isToServer) }
  }

  private mutating func duplicate(_ place: Int, toServer isToServer: Bool) {
    if let flight = look(place, toServer: isToServer) { deliver(flight, toServer: isToServer) }
  }

  private mutating func overtake(_ place: Int, toServer isToServer: Bool) {
    if let flight = take(place, toServer: isToServer) { deliver(flight, toServer: isToServer) }
  }

  /// A copy that was altered, cut, or put together from two.
  private mutating func alter(_ input: inout FuzzInput, _ detail: UInt8, toServer isToServer: Bool) {
    let kind = detail >> 1
    guard var flight = look(input.number(below: 32), toServer: isToServer) else { return }
    let original = flight.bytes
    let place = input.int16() % original.count
    // Of a reset only the end counts, which is there still.
    var isReset = original.count == ResetDatagram.size
    switch kind & 3 {
    case 0, 1: flight.bytes[place] ^= UInt8(1) << (input.byte() & 7)
    case 2: flight.bytes.removeLast(original.count - place)
    default:
      guard let other = look(input.number(below: 32), toServer: isToServer) else { return }
      flight.bytes = Array(original[..<place]) + other.bytes.dropFirst(place)
      guard flight.bytes != other.bytes else { return }
      isReset = isReset || other.bytes.count == ResetDatagram.size
    }
    guard flight.bytes != original else { return }
    deliver(flight, toServer: isToServer, isForged: !isReset)
  }

  /// Somebody off the path hands a datagram on, in the name of somebody else.
  private mutating func forward(_ place: Int, _ detail: UInt8) {
    guard var flight = detail & 1 == 0 ? look(place, toServer: true) : take(place, toServer: true) else { return }
    flight.address = victim
    post.forwarded = true
    deliver(flight, toServer: true)
  }

  private mutating func forge(_ input: inout FuzzInput, _ detail: UInt8) {
    let flight = Flight(bytes: input.counted(), address: detail & 2 == 0 ? clientAddress : victim)
    deliver(flight, toServer: detail & 1 == 0, isForged: true)
  }

  // MARK: The ends

  private mutating func send(_ input: inout FuzzInput, _ detail: UInt8, toServer isToServer: Bool) {
    let bits = input.byte()
    var options = MessageOptions(
      delivery: Delivery(rawValue: detail & 3) ?? .reliableOrdered, channel: bits & 3,
      priority: Priority(rawValue: bits >> 2 & 3) ?? .normal)
    if bits & 0x10 != 0 { options.expires = now + .milliseconds(Int64(input.byte()) * 8) }
    let size = Self.sizes[Int(detail >> 2)] + Int(bits >> 6)
    let content = post.write(size, &options, wantsReceipt: bits & 0x20 != 0, toServer: isToServer)
    // Outcomes may be told while it is sent.
    post.send(content, options, toServer: isToServer)
    if !(isToServer ? client : server).send(content, options, now: now) { post.takeBack(toServer: isToServer) }
  }

  private static let sizes = [1, 150, 1150, 9000]

  /// The client is somewhere else, and knows it, or does not.
  private mutating func roam(_ detail: UInt8) {
    let host = UInt8(1 + detail & 3)
    clientAddress = NetworkAddress(ipv4: 198, 51, 100, 7 + host, port: 5000 + UInt16(detail))
    guard detail & 4 != 0, case .client(let endpoint) = client.kind else { return }
    let old = clientSocket
    clientSocket = NetworkAddress(ipv4: 10, 0, host, 2, port: clientAddress.port)
    endpoint.localAddressChanged(from: old, to: clientSocket, now: now)
  }

  private mutating func change(_ detail: UInt8) {
    switch detail {
    case 0, 1: restart()
    case 2:
      post.hasClosed = true
      server.close(now: now)
    case 3:
      post.hasClosed = true
      client.close(now: now)
    case 4:
      guard case .client(let endpoint) = client.kind else { return }
      post.hasClosed = true
      endpoint.close(afterDelivery: true, now: now)
    case 5, 6: client.setResting(detail == 5, now: now)
    case 7, 8: server.setResting(detail == 7, now: now)
    case 9, 10:
      // A tunnel comes into the way, or goes: large packets are lost without a word.
      carriedSize = detail == 9 ? 1250 : maximumDatagramSize
    case 11, 12, 13: seeNetworks(detail)
    default:
      client.flushBundles(now: now)
      server.flushBundles(now: now)
    }
  }

  /// The client's system tells of its networks: none, one, or another beside it.
  private mutating func seeNetworks(_ detail: UInt8) {
    var view = NetworkView()
    let own = NetworkAddress(ipv4: 10, 0, detail, 2, port: 0)
    if detail != 11 {
      view.addresses = [own]
      view.routes = [Route(source: own, gateway: nil, interface: UInt32(detail))]
    }
    view.socket = .any(port: clientSocket.port)
    if detail == 13 { view.doors = [Self.door] }
    client.networkChanged(view, now: now)
  }

  /// The server's process ends without a word, and another one begins.
  private mutating func restart() {
    guard serverRuns < 4 else { return }
    serverRuns += 1
    server = Self.server(setup, run: serverRuns)
    let post = post
    server.onEvent = { post.note($0, atServer: true) }
    toClient = []
  }
}
