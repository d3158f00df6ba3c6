import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeyUDP

/// Sends back what comes, sends what it is told, and tells what it saw.
final class EchoHandler: DatagramHandler {
  /// What the test sees from its own thread.
  final class Log: Sendable {
    let received = Locked<[(bytes: [UInt8], path: NetworkPath)]>([])
    let fired = Locked<[(due: Instant, at: Instant)]>([])
    let views = Locked<[NetworkView]>([])

    /// How the networks are, as told last.
    var view: NetworkView? { views.withLock { $0.last } }
    var texts: [String] { received.withLock { $0.map { String(decoding: $0.bytes, as: UTF8.self) } } }
  }

  let log: Log
  let echoes: Bool
  var queue: [(bytes: [UInt8], path: NetworkPath)] = []
  var head = 0
  var deadlines: [Instant] = []
  var watchedAddresses: [NetworkAddress]

  init(log: Log, echoes: Bool, watches: [NetworkAddress] = []) {
    self.log = log
    self.echoes = echoes
    watchedAddresses = watches
  }

  func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    let bytes = datagram.withUnsafeBytes { Array($0) }
    // In place, as packets are opened.
    datagram.withUnsafeMutableBytes { for i in $0.indices { $0[i] ^= 0xff } }
    log.received.withLock { $0.append((bytes, path)) }
    if echoes { queue.append((bytes, path)) }
  }

  func handleTimeout(now: Instant) {
    while let due = nextTimeout, due <= now {
      deadlines.removeAll { $0 == due }
      log.fired.withLock { $0.append((due, now)) }
    }
  }

  var nextTimeout: Instant? { deadlines.min() }

  func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    guard head < queue.count else {
      queue.removeAll(keepingCapacity: true)
      head = 0
      return nil
    }
    let next = queue[head]
    head += 1
    for byte in next.bytes { output.append(byte) }
    return next.path
  }

  func networkChanged(_ view: NetworkView, now: Instant) { log.views.withLock { $0.append(view) } }

  func send(_ text: String, to remote: NetworkAddress, from local: NetworkAddress = .any(port: 0)) {
    queue.append((Array(text.utf8), NetworkPath(local: local, remote: remote)))
  }
}

typealias EchoDriver = UDPDriver<EchoHandler>

extension NetworkAddress {
  static func loopback(_ last: UInt8, port: UInt16 = 0) -> NetworkAddress {
    NetworkAddress(ipv4: 127, 0, 0, last, port: port)
  }
  static func loopback6(port: UInt16 = 0) -> NetworkAddress { NetworkAddress(ip: 1, port: port) }

  func with(port: UInt16) -> NetworkAddress {
    var copy = self
    copy.port = port
    return copy
  }
}

/// A driver with an echo handler, and what that one saw.
func makeEcho(
  _ address: NetworkAddress, echoes: Bool = true, mobility: Mobility = .fixed, watches: [NetworkAddress] = []
) throws -> (driver: EchoDriver, log: EchoHandler.Log) {
  let log = EchoHandler.Log()
  let handler = EchoHandler(log: log, echoes: echoes, watches: watches)
  let driver = try EchoDriver(
    bind: address, name: "echo test", mobility: mobility, handler: handler, onTurn: { _, _ in })
  return (driver, log)
}

/// Looks until `condition` holds, for at most half a minute.
func eventually(
  _ what: Comment, _ location: SourceLocation = #_sourceLocation, _ condition: () -> Bool
) async throws {
  let end = ContinuousClock.now + .seconds(30)
  while !condition() {
    try #require(ContinuousClock.now < end, what, sourceLocation: location)
    try await Task.sleep(for: .milliseconds(1))
  }
}
