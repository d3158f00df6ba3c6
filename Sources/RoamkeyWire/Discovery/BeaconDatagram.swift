/// Here I am (PROTOCOL §15.2):
///
///     D0 ‖ version4 ‖ 00 ‖ 00 ‖ nonce16 ‖ server_ed_pub32 ‖ instance8 ‖ sequence8 ‖ flags1 ‖ ip16 ‖ port2
///        ‖ players4 ‖ capacity4 ‖ a1 ‖ application ‖ n1 ‖ name ‖ more ‖ sig64
///
/// `more` is what later versions may add; it is signed with the rest, and passed over.
package struct BeaconDatagram: Hashable, Sendable {
  /// As much as a question has, so never more than was asked with.
  package static let longest = SeekDatagram.size
  package static let keySize = 32
  package static let signatureSize = 64
  /// The longest name for people.
  package static let longestName = 64

  private static let farewellFlag: UInt8 = 0x01

  /// The question's.
  package var nonce: UInt128
  /// The 32 bytes of the key that signs.
  package var publicKey: [UInt8]
  /// Random, another one each time that the server is started.
  package var instance: UInt64
  /// Rises with every beacon of an instance.
  package var sequence: UInt64
  /// The server stops: this is its last word.
  package var isFarewell = false
  /// Where the game is, without a scope; the beacon comes from this very address. Signed, so that nobody else on the
  /// link can hand the beacon on as its own.
  package var address: NetworkAddress
  package var players: UInt32
  package var capacity: UInt32
  package var application: String
  /// For people; it proves nothing.
  package var name: String?

  package init(
    nonce: UInt128, publicKey: [UInt8], instance: UInt64, sequence: UInt64, address: NetworkAddress, players: UInt32,
    capacity: UInt32, application: String, name: String?
  ) {
    self.nonce = nonce
    self.publicKey = publicKey
    self.instance = instance
    self.sequence = sequence
    self.address = NetworkAddress(ip: address.ip, port: address.port)
    self.players = players
    self.capacity = capacity
    self.application = application
    self.name = name
  }

  /// Reads all but the signature, which is nobody's word yet.
  package init(_ datagram: RawSpan) throws(WireError) {
    guard datagram.byteCount <= Self.longest, datagram.byteCount >= Self.signatureSize else { throw .malformed }
    let datagram = datagram.extracting(Self.signed(datagram))
    var position = try DiscoveryKind.beacon.readHeader(datagram)
    nonce = try datagram.readInteger(at: &position)
    publicKey = datagram.array(try datagram.readRange(Self.keySize, at: &position))
    instance = try datagram.readInteger(at: &position)
    sequence = try datagram.readInteger(at: &position)
    // Flags of later versions are passed over.
    isFarewell = try datagram.readByte(at: &position) & Self.farewellFlag != 0
    let ip: UInt128 = try datagram.readInteger(at: &position)
    address = NetworkAddress(ip: ip, port: try datagram.readInteger(at: &position))
    players = try datagram.readInteger(at: &position)
    capacity = try datagram.readInteger(at: &position)
    application = try Self.text(datagram, atMost: SeekDatagram.longestApplication, at: &position)
    let name = try Self.text(datagram, atMost: Self.longestName, at: &position)
    guard address.port != 0, !application.isEmpty else { throw .malformed }
    self.name = name.isEmpty ? nil : name
  }

  /// People will see both texts, so they are refused with control or bidirectional characters (PROTOCOL §7).
  private static func text(
    _ datagram: RawSpan, atMost limit: Int, at position: inout Int
  ) throws(WireError) -> String {
    let count = Int(try datagram.readByte(at: &position))
    let range = try datagram.readRange(count, at: &position)
    guard count <= limit, let text = datagram.extracting(range).text, DisplayText.isClean(text) else {
      throw .malformed
    }
    return text
  }

  /// What the signature covers, behind its label; the signature itself is the rest.
  /// - Precondition: the datagram has at least 64 bytes.
  package static func signed(_ datagram: RawSpan) -> Range<Int> { 0..<datagram.byteCount - signatureSize }

  /// All but the signature.
  package func encoded() -> [UInt8] {
    precondition(publicKey.count == Self.keySize, "a public key has 32 bytes")
    var bytes = DiscoveryKind.beacon.header
    bytes.append(bigEndian: nonce)
    bytes += publicKey
    bytes.append(bigEndian: instance)
    bytes.append(bigEndian: sequence)
    bytes.append(isFarewell ? Self.farewellFlag : 0)
    bytes.append(bigEndian: address.ip)
    bytes.append(bigEndian: address.port)
    bytes.append(bigEndian: players)
    bytes.append(bigEndian: capacity)
    for (text, limit) in [(application, SeekDatagram.longestApplication), (name ?? "", Self.longestName)] {
      let text = Array(text.utf8)
      precondition(text.count <= limit, "a text of a beacon is too long")
      bytes.append(UInt8(text.count))
      bytes += text
    }
    return bytes
  }
}
