internal import BenchmarkSockets
internal import Glibc

/// Bare UDP: a socket, rings, and nothing that is repeated, encrypted or even known of sessions. What a system call
/// costs is all that it costs.
///
/// `@unchecked`: a process uses its only party from one task.
final class RawParty: Party, @unchecked Sendable {
  /// What longer messages are cut into.
  static let datagramSize = 1200
  /// How often a client says that it is there: once, and again should that be lost.
  private static let hello: [UInt8] = [UInt8(ascii: "?")]

  private let socket: DatagramSocket
  private let ring: any RawRing
  private let isServer: Bool
  private let tellsPeers: Bool
  private var wanted: Int
  private var client = sockaddr_in()
  private(set) var peers = 0

  var port: UInt16 { socket.port }

  private init(_ settings: PartySettings, inRuns: Bool, isServer: Bool) throws(BenchmarkFailure) {
    socket = try DatagramSocket(stamps: false)
    ring = inRuns ? try SegmentRing(socket.descriptor) : MessageRing(socket.descriptor)
    self.isServer = isServer
    tellsPeers = settings.tellsPeers
    wanted = settings.peers
  }

  static func server(_ settings: PartySettings, inRuns: Bool) throws(BenchmarkFailure) -> RawParty {
    try RawParty(settings, inRuns: inRuns, isServer: true)
  }

  /// One socket stands for all clients: the kernel does the same for each datagram.
  static func clients(_ settings: PartySettings, inRuns: Bool) throws(BenchmarkFailure) -> RawParty {
    let party = try RawParty(settings, inRuns: inRuns, isServer: false)
    party.client = DatagramSocket.name(port: settings.port)
    party.peers = settings.peers
    _ = try party.send(hello, to: 0, .unreliable)
    party.flush()
    return party
  }

  func send(_ bytes: [UInt8], to peer: Int, _ promise: Promise) throws(BenchmarkFailure) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let count = min(rest.count, Self.datagramSize)
        ring.send(UnsafeRawBufferPointer(rebasing: rest[..<count]), to: client)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
    return true
  }

  func broadcast(_ bytes: [UInt8], _ promise: Promise) throws(BenchmarkFailure) {
    for peer in 0..<peers { _ = try send(bytes, to: peer, promise) }
  }

  func flush() { ring.flush() }

  func waitForRoom(_ peer: Int) {}

  func receive(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    while true {
      var found = false
      while let from = ring.receive({ bytes in
        if bytes.count == Self.hello.count { return }
        found = true
        take(tellsPeers ? Int(Stamp.peer(of: bytes)) : 0, bytes)
      }) {
        // Whoever calls from elsewhere is answered there.
        if isServer { (client, peers) = (from, wanted) }
        if moment == nil && found { return }
      }
      let left = moment.map { $0 - .now } ?? .seconds(1)
      if left <= .zero { return }
      DatagramSocket.wait(for: socket.descriptor, atMost: left)
    }
  }
}

/// What leaves and comes in one system call.
protocol RawRing: AnyObject {
  /// Copies a datagram; it leaves when the ring is full or with `flush`.
  func send(_ bytes: UnsafeRawBufferPointer, to name: sockaddr_in)
  func flush()
  /// One call's worth.
  /// - Returns: who has sent it; nil when there was nothing.
  func receive(_ take: (UnsafeRawBufferPointer) -> Void) -> sockaddr_in?
}
