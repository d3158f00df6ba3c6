import RoamkeyEngine
import RoamkeyWire

/// Orders of an input: a byte says which, those behind it how.
extension PeerWorld {
  mutating func run(_ input: inout FuzzInput) {
    let order = input.byte()
    let detail = order >> 4
    switch order & 0x0f {
    case 0, 1, 2: say(input.counted(), from: address(detail & 1))
    case 3: sayOddly(&input, detail)
    case 4: passTime(Self.pauses[Int(detail)])
    case 5, 6: sendFromEngine(&input, detail)
    case 7: message(&input, detail)
    case 8: acknowledge()
    case 9: answerChallenges()
    case 10:
      facts.gaveCredit = facts.gaveCredit || !engine.unread.isEmpty
      engine.consume(detail == 0 ? 64 : Int(detail), now: now)
      flush()
    case 11: ask(detail)
    case 12: replay(&input, detail)
    case 13: forge(&input, detail)
    case 14: giveID(&input, detail)
    default: changeNetworks(detail)
    }
  }

  private static let pauses: [Duration] = [
    .milliseconds(1), .milliseconds(5), .milliseconds(20), .milliseconds(50), .milliseconds(100), .milliseconds(250),
    .milliseconds(500), .seconds(1), .seconds(2), .seconds(3), .seconds(5), .seconds(10), .seconds(25), .seconds(60),
    .seconds(120), .seconds(301),
  ]

  /// One of four places where the peer may be, or seems to be.
  private func address(_ number: UInt8) -> NetworkAddress {
    number & 3 == 0 ? home : NetworkAddress(ipv4: 203, 0, 113, number & 3, port: 40_000)
  }

  private mutating func sayOddly(_ input: inout FuzzInput, _ detail: UInt8) {
    let bits = input.byte()
    var oddity = ScriptedPeer.Oddity()
    oddity.numberSize = 1 + Int(bits & 3)
    oddity.hasBadSignature = bits & 4 != 0
    oddity.reserved = bits & 0x40 != 0 ? bits & 0x18 : 0
    if bits & 0x80 != 0 { oddity.skipped = UInt64(input.byte()) << UInt64(detail) }
    if bits & 0x20 != 0 { peer.renewKey() }
    let before = facts.delivered
    say(input.counted(), from: address(detail), oddity)
    let isUnsigned = setup.isSigned && oddity.hasBadSignature
    precondition(!isUnsigned || facts.delivered == before, "what is not signed is delivered")
  }

  private mutating func sendFromEngine(_ input: inout FuzzInput, _ detail: UInt8) {
    let bits = input.byte()
    var options = MessageOptions(
      delivery: Delivery(rawValue: detail & 3) ?? .reliableOrdered, channel: bits & 3,
      priority: Priority(rawValue: bits >> 2 & 3) ?? .normal)
    if bits & 0x10 != 0 { options.expires = now + .milliseconds(Int64(input.byte()) * 8) }
    if bits & 0x20 != 0 { options.receipt = UInt64(input.byte()) }
    let size = Self.sizes[Int(detail >> 2)] + Int(bits >> 6)
    let content = MessageContent(
      format: .bytes, wantsReceipt: options.receipt != nil, action: "",
      body: [UInt8](repeating: bits, count: size))
    _ = engine.send(content.encoded(), options, now: now)
    flush()
  }

  private static let sizes = [1, 100, 1100, 6000]

  /// A whole message, or a first piece, in the next place of its stream.
  private mutating func message(_ input: inout FuzzInput, _ detail: UInt8) {
    let stream = StreamID(channel: detail >> 2 & 1, delivery: Delivery(rawValue: detail & 3) ?? .unreliable)
    let sequence = nextSequence[stream, default: 0]
    let bits = input.byte()
    nextSequence[stream] = sequence + (bits & 1 == 0 ? 1 : 2)
    let content = MessageContent(
      format: .bytes, time: bits & 2 == 0 ? nil : UInt32(bits) << 8, wantsReceipt: bits & 4 != 0, action: "",
      body: [UInt8](repeating: 7, count: Int(bits & 0xf8) * (detail & 8 == 0 ? 1 : 4))
    ).encoded()
    let count = min(content.count, 1000)
    let frame = FuzzFrames.written {
      $0.appendMessage(stream, sequence: sequence, content: content, range: 0..<count)
    }
    say(frame, from: home)
  }

  private mutating func acknowledge() {
    guard let frame = peer.acknowledgement() else { return }
    facts.acknowledged = true
    say(frame, from: home)
  }

  private mutating func answerChallenges() {
    for (frames, address) in peer.takeAnswers() {
      books.prove(address)
      say(frames, from: address)
    }
  }

  /// The engine's app asks for something.
  private mutating func ask(_ detail: UInt8) {
    switch detail {
    case 0: engine.close(now: now)
    case 1, 2:
      engine.setResting(detail == 1, now: now)
      facts.rested = true
    case 3:
      if case .server(let endpoint) = engine.kind { endpoint.shutdown(now: now) }
    case 4:
      if case .client(let endpoint) = engine.kind { endpoint.close(afterDelivery: true, now: now) }
    case 5:
      guard case .server(let endpoint) = engine.kind else { break }
      var access = AccessList()
      access.denied = [FuzzKeys.client]
      endpoint.updateAccess(access, reason: "no", now: now)
    case 6:
      if case .client(let endpoint) = engine.kind { endpoint.learn([address(1), address(2)], now: now) }
    default: engine.flushBundles(now: now)
    }
    flush()
  }

  /// A packet that was sent before, from anywhere.
  private mutating func replay(_ input: inout FuzzInput, _ detail: UInt8) {
    guard !history.isEmpty else { return }
    deliver(history[input.number(below: history.count)], from: address(detail))
  }

  /// Something that nobody with keys has said: an altered packet, or bytes.
  private mutating func forge(_ input: inout FuzzInput, _ detail: UInt8) {
    if detail & 4 == 0, !history.isEmpty {
      var packet = history[input.number(below: history.count)]
      let place = input.int16() % packet.count
      packet[place] ^= UInt8(1) << (detail & 3)
      deliver(packet, from: address(detail >> 3), isForged: true)
    } else {
      let bytes = input.counted()
      // One that ends with the token of a reset is authentic.
      deliver(bytes, from: address(detail >> 3), isForged: bytes.count < ResetDatagram.size)
    }
  }

  private mutating func giveID(_ input: inout FuzzInput, _ detail: UInt8) {
    let size = 1 + Int(detail)
    guard let id = try? ConnectionID([UInt8](repeating: input.byte(), count: size)) else { return }
    let retire = detail & 1 == 0 ? 0 : nextID
    let sequence = nextID
    nextID += 1
    say(
      FuzzFrames.written { output in
        output.appendNewConnectionID(sequence: sequence, retirePriorTo: min(retire, sequence), id, token: 99)
      }, from: home)
  }

  /// The engine's machine is somewhere else.
  private mutating func changeNetworks(_ detail: UInt8) {
    var view = NetworkView()
    let own = NetworkAddress(ipv4: 10, 0, detail & 3, 2, port: 0)
    if detail & 8 == 0 {
      view.addresses = [own]
      view.routes = [Route(source: own, gateway: nil, interface: UInt32(detail & 3) + 1)]
    }
    view.socket = NetworkAddress(ipv4: 0, 0, 0, 0, port: 4000 + UInt16(detail & 3))
    if detail & 4 != 0 { view.doors = [NetworkAddress(ipv4: 10, 0, 9, 2, port: 4100)] }
    engine.networkChanged(view, now: now)
    flush()
  }
}
