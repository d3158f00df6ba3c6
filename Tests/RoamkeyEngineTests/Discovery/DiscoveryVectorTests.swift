import Foundation
import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §15: questions and beacons that another implementation has made, written and read.
struct DiscoveryVectorTests {
  private struct File: Decodable {
    struct Seek: Decodable { let application: String, datagram: String }
    struct Fields: Decodable {
      let instance, sequence: UInt64
      let flags: UInt8
      let port: UInt16
      let players, capacity: UInt32
      let ip, application, name: String
    }
    struct Beacon: Decodable {
      let name: String
      let fields: Fields
      let more, datagram: String
    }
    let nonce, seed, publicKey: String
    let seeks: [Seek]
    let beacons: [Beacon]
  }

  private let file: File

  init() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Vectors/discovery.json")
    file = try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.map { UInt8($0 > 0x39 ? $0 - 0x57 : $0 - 0x30) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// Our reader knows IPv4 by its dots, and a link-local address by its scope, which is not on the wire.
  private static func text(_ ip: String, _ port: UInt16) -> String {
    ip.hasPrefix("::ffff:") ? "\(ip.dropFirst(7)):\(port)" : "[\(ip)%1]:\(port)"
  }

  private var nonce: UInt128 { Self.bytes(file.nonce).reduce(0) { $0 << 8 | UInt128($1) } }

  @Test func questions() throws {
    #expect(file.seeks.count == 3)
    for vector in file.seeks {
      let application = vector.application.isEmpty ? nil : vector.application
      let seek = SeekDatagram(nonce: nonce, application: application)
      #expect(seek.encoded() == Self.bytes(vector.datagram))
      #expect(try SeekDatagram(Self.bytes(vector.datagram).span.bytes) == seek)
    }
  }

  @Test func beacons() throws {
    #expect(file.beacons.count == 5)
    var seed = Self.bytes(file.seed)
    let key = PlayerKey(seed: SecretBytes(wiping: &seed))
    for vector in file.beacons {
      let fields = vector.fields
      var beacon = BeaconDatagram(
        nonce: nonce, publicKey: Self.bytes(file.publicKey), instance: fields.instance, sequence: fields.sequence,
        address: try NetworkAddress(Self.text(fields.ip, fields.port)), players: fields.players,
        capacity: fields.capacity, application: fields.application,
        name: fields.name.isEmpty ? nil : fields.name)
      beacon.isFarewell = fields.flags & 1 != 0
      let datagram = Self.bytes(vector.datagram)
      #expect(try BeaconDatagram(datagram.span.bytes) == beacon, "\(vector.name)")
      let signed = BeaconDatagram.signed(datagram.span.bytes)
      let signature = Signature(datagram.span.bytes, at: signed.upperBound)
      let message = BeaconSignature.message(datagram.span.bytes.extracting(signed))
      let isSigned = key.id.verify(signature, of: message.span.bytes)
      #expect(isSigned, "\(vector.name)")
      // What later versions add is not ours to write.
      guard vector.more.isEmpty, fields.flags <= 1 else { continue }
      let encoded = beacon.encoded()
      let own = key.sign(BeaconSignature.message(encoded.span.bytes).span.bytes)
      #expect(encoded + own.bytes == datagram, "\(vector.name)")
    }
  }
}
