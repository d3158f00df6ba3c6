import Foundation
import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// The reference session of Tests/Vectors, made by a separate implementation: every byte must come out the same
/// (PROTOCOL §1 to §4, §6).
struct ReferenceVectorTests {
  static let cases = ["scid0", "scid8"]

  /// One case of the file.
  struct Case {
    let fields: [String: Any]
    let inputs: [String: String]

    init(_ name: String) throws {
      let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Vectors/roamkey_reference.json")
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
      fields = try #require(json?[name] as? [String: Any])
      inputs = try #require(fields["inputs"] as? [String: String])
    }

    func output(_ name: String) throws -> [UInt8] { try bytes(#require(fields[name] as? String)) }
    func input(_ name: String) throws -> [UInt8] { try bytes(#require(inputs[name])) }

    private func bytes(_ hex: String) -> [UInt8] {
      let digits = Array(hex.utf8).map { UInt8($0 > 0x39 ? $0 - 0x57 : $0 - 0x30) }
      return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    func key(_ name: String) throws -> PlayerKey {
      var seed = try input(name)
      return PlayerKey(seed: SecretBytes(wiping: &seed))
    }

    func secret(_ name: String) throws -> SecretBytes {
      var bytes = try input(name)
      return SecretBytes(wiping: &bytes)
    }

    var clientAddress: NetworkAddress {
      get throws {
        let ip = try input("clientIP").reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        let port = try input("clientPort").reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
        return NetworkAddress(ip: ip, port: port)
      }
    }
  }

  /// Client and server of a case, taken through the handshake.
  struct Pair: ~Copyable {
    let client: ClientHandshake
    let server: ServerHandshake
    let clientID: PlayerID
    let serverID: PlayerID
    var established: ClientHandshake.Established
    var accepted: ServerHandshake.Established
    let hello: [UInt8]
  }

  static func handshake(_ vector: Case) throws -> Pair {
    let clientKey = try vector.key("edSeedInitiator")
    let serverKey = try vector.key("edSeedResponder")
    var configuration = RoamkeyConfiguration()
    var settings = ClientSettings(application: "galaxy/1")
    settings.pin = serverKey.id
    settings.announcesLimits = false
    let scid = try vector.input("scid")
    configuration.clientConnectionIDSize = scid.count
    let ids = [try vector.input("dcid")] + (scid.isEmpty ? [] : [scid])
    var entropy = Entropy.scripted(
      ids + [try vector.input("staticInitiator"), try vector.input("ephemeralInitiator")])
    let client = ClientHandshake(settings: settings, configuration: configuration, entropy: &entropy)

    // The reference's Hello carries the cookie of a Retry.
    let cookie = try vector.input("cookieTime") + vector.output("cookie").dropFirst(4)
    let retry =
      LongHeader.write(
        firstByte: HandshakeKind.retry.rawValue, version: ProtocolVersion.v1.rawValue,
        destination: try ConnectionID(scid), source: try ConnectionID(try vector.input("dcid"))) + cookie
    switch client.receive(retry.span.bytes, key: clientKey) {
    case .retry: break
    default: Issue.record("the Retry was not taken")
    }
    let hello = client.hello

    var serverSettings = ServerSettings(application: "galaxy/1")
    serverSettings.announcesLimits = false
    let datagram = try HelloDatagram(hello.span.bytes, LongHeader(hello.span.bytes))
    let serverCID = try ConnectionID(try vector.input("serverCID"))
    let server = try #require(
      ServerHandshake(
        hello: datagram, hello.span.bytes, serverConnectionID: serverCID, settings: serverSettings,
        configuration: configuration, staticSecret: try vector.secret("staticResponder"),
        ephemeralSecret: try vector.secret("ephemeralResponder"), key: serverKey))
    let welcome = server.welcome
    switch client.receive(welcome.span.bytes, key: clientKey) {
    case .established(let established):
      let finish = established.finish
      let header = try LongHeader(finish.span.bytes)
      guard let accepted = server.receiveFinish(finish.span.bytes, header, server: serverKey.id) else {
        throw VectorError.finishRefused
      }
      #expect(accepted.client == clientKey.id)
      return Pair(
        client: client, server: server, clientID: clientKey.id, serverID: serverKey.id,
        established: established, accepted: accepted, hello: hello)
    default:
      throw VectorError.welcomeRefused
    }
  }

  enum VectorError: Error { case welcomeRefused, finishRefused }

  @Test("§1 Hello, Welcome and Finish", arguments: cases)
  func handshakeDatagrams(name: String) throws {
    let vector = try Case(name)
    let pair = try Self.handshake(vector)
    #expect(pair.hello == (try vector.output("hello")))
    #expect(pair.server.welcome == (try vector.output("welcome")))
    #expect(pair.established.finish == (try vector.output("finish")))
  }

  @Test("§1 the cookie is bound to address, ids and key", arguments: cases)
  func cookie(name: String) throws {
    let vector = try Case(name)
    let hello = try vector.output("hello")
    let datagram = try HelloDatagram(hello.span.bytes, LongHeader(hello.span.bytes))
    let time = try vector.input("cookieTime").reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let cookie = CookieJar.cookie(
      time: time, datagram, hello.span.bytes, from: try vector.clientAddress, key: try vector.secret("cookieKey"))
    #expect(cookie == (try vector.output("cookie")))

    let now = Instant(nanoseconds: Int64(time) * 1_000_000_000)
    let jar = CookieJar(
      key: try vector.secret("cookieKey"), lifetime: .seconds(60), keyLifetime: .seconds(120), now: now)
    let address = try vector.clientAddress
    var elsewhere = address
    elsewhere.port &+= 1
    let verdicts = [
      jar.accepts(datagram, hello.span.bytes, from: address, now: now),
      jar.accepts(datagram, hello.span.bytes, from: address, now: now + .seconds(60)),
      jar.accepts(datagram, hello.span.bytes, from: address, now: now + .seconds(61)),
      jar.accepts(datagram, hello.span.bytes, from: elsewhere, now: now),
    ]
    #expect(verdicts == [true, true, false, false])
  }

  @Test("§2 the key schedule of both directions", arguments: cases)
  func keySchedule(name: String) throws {
    let vector = try Case(name)
    var pair = try Self.handshake(vector)
    #expect(pair.established.keys.context.handshakeHash.bytes == (try vector.output("h")))
    #expect(pair.established.keys.context.id.bytes == (try vector.output("sid")))
    #expect(pair.accepted.keys.context.id.bytes == (try vector.output("sid")))
    for direction in [Direction.initiatorToResponder, .responderToInitiator] {
      let d = direction.rawValue
      for (slot, name) in [(SessionKeys.Slot.headerProtection, "hp"), (.seal, "aead0"), (.blind, "blind0")] {
        let key = pair.established.keys.withKey(direction, slot) { Array($0) }
        #expect(key == (try vector.output("\(name)_\(d)")), "\(name)_\(d)")
      }
    }
    // root_1 is consumed as soon as it is known; what follows from it must be what follows from the reference's.
    for direction in [Direction.initiatorToResponder, .responderToInitiator] {
      var root = SecretBytes(zeros: 64)
      let reference = try vector.output("root1_\(direction.rawValue)")
      root.withUnsafeMutableBytes { $0.copyBytes(from: reference) }
      root.deriveSubkey(1, from: 0, to: 32)
      pair.accepted.keys.advance(direction, keepPrevious: false)
      let expected = root.withUnsafeBytes { Array($0[32...]) }
      #expect(pair.accepted.keys.withKey(direction, .seal) { Array($0) } == expected)
    }
  }

  @Test("§3, §4 a signed and sealed packet, written and read", arguments: cases)
  func packet(name: String) throws {
    let vector = try Case(name)
    let pair = try Self.handshake(vector)
    let clientKey = try vector.key("edSeedInitiator")
    let frames = try vector.input("frames")
    let number = try vector.input("packetNumber").reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let direction = Direction.initiatorToResponder
    let blinder = pair.established.keys.blinder(direction, .current, number: number)
    let leaf = pair.established.keys.leaf(direction, number: number, frames: frames.span.bytes, blinder: blinder)
    let signature = SignatureTrailer.withSignedBytes(depth: 0, root: leaf) { clientKey.sign($0) }
    #expect(blinder.bytes == (try vector.output("blinder")))
    #expect(leaf.bytes == (try vector.output("leaf")))
    #expect(signature.bytes == (try vector.output("signature")))

    let expected = try vector.output("packet")
    let numberSize = expected.count - (1 + 8 + frames.count + 65 + 16)
    var packet: [UInt8] = [UInt8(numberSize - 1)] + (try vector.input("serverCID"))
    for i in (0..<numberSize).reversed() { packet.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(i)))) }
    let headerSize = packet.count
    packet += frames + signature.bytes + [0] + [UInt8](repeating: 0, count: 16)
    packet.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      pair.established.keys.protect(&span, headerSize: headerSize, numberSize: numberSize, number: number)
    }
    #expect(packet == expected)

    var window = ReplayWindow()
    window.commit(number - 1)
    let opened = try Self.open(&packet, pair.accepted.keys, window: window)
    #expect(opened.number == number)
    #expect(opened.reservedBits == 0)
    let plaintext = Array(packet[opened.plaintext])
    let trailer = try SignatureTrailer(plaintext.span.bytes)
    #expect(Array(plaintext[..<trailer.frameCount]) == frames)
    var verifier = SignatureVerifier(peer: clientKey.id)
    let isGood = verifier.verify(trailer, leaf: leaf, plaintext.span.bytes)
    #expect(isGood)
  }

  static func open(
    _ packet: inout [UInt8], _ keys: borrowing SessionKeys, window: ReplayWindow
  ) throws -> OpenedPacket {
    try packet.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      return try keys.open(&span, connectionIDSize: 8, window: window, receiving: KeyPhaseState())
    }
  }

  static func isRefused(_ packet: [UInt8], _ keys: borrowing SessionKeys, window: ReplayWindow) -> Bool {
    var packet = packet
    return (try? open(&packet, keys, window: window)) == nil
  }

  @Test("§3 every altered bit is refused, and every cut", arguments: cases)
  func tampering(name: String) throws {
    let vector = try Case(name)
    let pair = try Self.handshake(vector)
    let expected = try vector.output("packet")
    var window = ReplayWindow()
    window.commit(40)
    var accepted = 0
    for bit in 0..<(expected.count * 8) where !(8..<72).contains(bit) {
      // Bits 8 to 71 are the connection id: routing, and covered as associated data below.
      var packet = expected
      packet[bit / 8] ^= 1 << UInt8(bit % 8)
      if !Self.isRefused(packet, pair.accepted.keys, window: window) { accepted += 1 }
    }
    var otherID = expected
    otherID[1] ^= 1
    if !Self.isRefused(otherID, pair.accepted.keys, window: window) { accepted += 1 }
    for count in 0..<expected.count {
      let packet = Array(expected[..<count])
      if !Self.isRefused(packet, pair.accepted.keys, window: window) { accepted += 1 }
    }
    #expect(accepted == 0)
    var honest = expected
    let opened = try Self.open(&honest, pair.accepted.keys, window: window)
    #expect(opened.number == 41)
  }

  @Test("§6 the reset token", arguments: cases)
  func resetToken(name: String) throws {
    let vector = try Case(name)
    let key = ResetKey(
      instance: Digest(try vector.input("instanceID")), key: try vector.key("edSeedResponder"))
    let token = key.token(of: try ConnectionID(try vector.input("serverCID")))
    #expect(token == (try vector.output("resetToken")).reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
  }
}
