internal import Dtls
internal import Glibc

/// DTLS 1.2 by OpenSSL, AES-GCM, on one thread: nothing is repeated but handshakes, and only the server has a
/// certificate, which nobody checks.
///
/// `@unchecked`: a process uses its only party from one task.
final class DtlsParty: Party, @unchecked Sendable {
  /// Clients that call at the same time.
  private static let newcomerLimit = 200
  /// How often handshakes are looked after, OpenSSL knowing itself which of them are due.
  private static let repeatInterval: Duration = .milliseconds(100)

  private struct Session {
    let pointer: UnsafeMutablePointer<bench_dtls>
    /// Among the peers, once its handshake is over.
    var peer: Int?
  }

  private let context: OpaquePointer
  private let method: OpaquePointer
  private let isServer: Bool
  /// The server's only one, or one for each client.
  private var sockets: [DatagramSocket] = []
  private var waits: [pollfd] = []
  private var rings: [MessageRing] = []
  private var sessions: [Session] = []
  /// Of the server: the session of each port.
  private var numbers: [UInt16: Int] = [:]
  private var connected: [Int] = []
  private var plain = [UInt8](repeating: 0, count: 1 << 14)
  private var nextRepeat = Monotonic.now

  var peers: Int { connected.count }
  var port: UInt16 { sockets[0].port }

  private init(isServer: Bool) throws(BenchmarkFailure) {
    guard let context = bench_dtls_context(isServer ? 1 : 0), let method = bench_dtls_method() else {
      throw BenchmarkFailure("OpenSSL does not start")
    }
    (self.context, self.method, self.isServer) = (context, method, isServer)
  }

  static func server(_ settings: PartySettings) throws(BenchmarkFailure) -> DtlsParty {
    let party = try DtlsParty(isServer: true)
    try party.open()
    return party
  }

  /// Returns once all are connected.
  static func clients(_ settings: PartySettings) throws(BenchmarkFailure) -> DtlsParty {
    let party = try DtlsParty(isServer: false)
    let server = DatagramSocket.name(port: settings.port)
    let end = Monotonic.now + .seconds(20)
    while party.peers < settings.peers {
      guard Monotonic.now < end else { throw BenchmarkFailure("DTLS clients did not get through") }
      while party.sessions.count < min(settings.peers, party.peers + newcomerLimit) {
        try party.open()
        try party.begin(on: party.sockets.count - 1, with: server)
        try party.shake(party.sessions.count - 1)
      }
      _ = try party.take { _, _ in }
      if party.peers < party.sessions.count { DatagramSocket.wait(for: &party.waits, atMost: .milliseconds(1)) }
    }
    return party
  }

  private func open() throws(BenchmarkFailure) {
    let socket = try DatagramSocket(stamps: false)
    sockets.append(socket)
    waits.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0))
    // The same memory serves all sockets of a process.
    rings.append(rings.first.map { MessageRing(sharing: $0, socket.descriptor) } ?? MessageRing(socket.descriptor))
  }

  private func begin(on socket: Int, with name: sockaddr_in) throws(BenchmarkFailure) {
    let session = bench_dtls_new(context, method, sockets[socket].descriptor, name, isServer ? 1 : 0)
    guard let session else { throw BenchmarkFailure("no DTLS session") }
    sessions.append(Session(pointer: session))
  }

  private func shake(_ number: Int) throws(BenchmarkFailure) {
    switch bench_dtls_shake(sessions[number].pointer) {
    case 1:
      sessions[number].peer = connected.count
      connected.append(number)
    case 0: break
    default: throw BenchmarkFailure("a DTLS handshake has failed")
    }
  }

  // MARK: Sending

  func send(_ bytes: [UInt8], to peer: Int, _ promise: Promise) throws(BenchmarkFailure) -> Bool {
    let ssl = sessions[connected[peer]].pointer.pointee.ssl
    guard SSL_write(ssl, bytes, CInt(bytes.count)) == bytes.count else { throw BenchmarkFailure("DTLS does not send") }
    return true
  }

  func broadcast(_ bytes: [UInt8], _ promise: Promise) throws(BenchmarkFailure) {
    for peer in connected.indices { _ = try send(bytes, to: peer, promise) }
  }

  func flush() {}

  func waitForRoom(_ peer: Int) {}

  // MARK: Receiving

  func receive(
    until moment: Monotonic?, _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) async throws(BenchmarkFailure) {
    while true {
      if try self.take(take) && moment == nil { return }
      let left = moment.map { $0 - .now } ?? .seconds(1)
      if left <= .zero { return }
      DatagramSocket.wait(for: &waits, atMost: min(left, Self.repeatInterval))
    }
  }

  /// Takes what there is.
  /// - Returns: whether there was a message.
  private func take(_ take: (Int, UnsafeRawBufferPointer) -> Void) throws(BenchmarkFailure) -> Bool {
    var found = false
    var failure: BenchmarkFailure?
    for socket in sockets.indices {
      // One socket is asked at once; of many those that `wait` has seen something of.
      guard sockets.count == 1 || waits[socket].revents != 0 else { continue }
      waits[socket].revents = 0
      while rings[socket].receive(named: { bytes, name in
        do throws(BenchmarkFailure) {
          if try self.handle(bytes, from: name, at: socket, take) { found = true }
        } catch {
          failure = error
        }
      }) {
        if let failure { throw failure }
        if sockets.count == 1 && found { break }
      }
      if let failure { throw failure }
    }
    if !isServer && connected.count < sessions.count && Monotonic.now >= nextRepeat {
      for session in sessions where session.peer == nil { bench_dtls_repeat(session.pointer) }
      nextRepeat = .now + Self.repeatInterval
    }
    return found
  }

  private func handle(
    _ bytes: UnsafeRawBufferPointer, from name: sockaddr_in, at socket: Int,
    _ take: (Int, UnsafeRawBufferPointer) -> Void
  ) throws(BenchmarkFailure) -> Bool {
    var number = socket
    if isServer {
      if let known = numbers[name.sin_port] {
        number = known
      } else {
        number = sessions.count
        try begin(on: 0, with: name)
        numbers[name.sin_port] = number
      }
    }
    let session = sessions[number].pointer
    session.pointee.datagram = bytes.baseAddress
    session.pointee.size = CInt(bytes.count)
    guard let peer = sessions[number].peer else {
      try shake(number)
      return false
    }
    var found = false
    while true {
      let size = SSL_read(session.pointee.ssl, &plain, CInt(plain.count))
      guard size > 0 else { return found }
      found = true
      plain.withUnsafeBytes { take(peer, UnsafeRawBufferPointer(rebasing: $0[..<Int(size)])) }
    }
  }
}
