import RoamkeyEngine
import RoamkeyWire

@testable import RoamkeySimulator

/// An endpoint that does nothing by itself: it sends what a test has it send, and keeps what it is given and told.
final class RecordingEndpoint: SimulatedEndpoint {
  var watchedAddresses: [NetworkAddress] = []
  private(set) var views: [NetworkView] = []
  private(set) var received: [(path: NetworkPath, bytes: [UInt8])] = []
  private var outgoing: [(path: NetworkPath, bytes: [UInt8])] = []

  init(clock: LocalClock) { self.clock = clock }

  func send(_ text: String, to remote: NetworkAddress, from local: NetworkAddress = .any(port: 0)) {
    outgoing.append((NetworkPath(local: local, remote: remote), Array(text.utf8)))
  }

  /// What came, and where.
  var mail: [String] { received.map { String(decoding: $0.bytes, as: UTF8.self) } }

  func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    received.append((path, datagram.bytes.withUnsafeBytes { Array($0) }))
  }

  func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    guard !outgoing.isEmpty else { return nil }
    let (path, bytes) = outgoing.removeFirst()
    output.append(contentsOf: bytes.span.bytes)
    return path
  }

  func networkChanged(_ view: NetworkView, now: Instant) { views.append(view) }

  func handleTimeout(now: Instant) {}
  var nextTimeout: Instant? { nil }
  func drainEvents(into events: inout [EngineEvent]) {}
  var statistics: EndpointStatistics { EndpointStatistics() }
  let clock: LocalClock
  var isIdle: Bool { true }
  func submit(
    _ content: [UInt8], _ options: MessageOptions, to session: SessionHandle, now: Instant
  ) throws(SendError) {
    throw .notConnected
  }
  func release(_ credit: Int, stream: StreamID, of session: SessionHandle, now: Instant) {}
}

/// A host with a recording endpoint, and what it is told of its networks.
struct RecordingHost {
  let world: SimulatedWorld
  let host: SimulatedHost
  let endpoint: RecordingEndpoint

  /// - Parameter families: of its first interface; the network there is place 0.
  init(in world: SimulatedWorld, index: Int, renewsPort: Bool = true, _ families: AddressFamilies = .ipv4) {
    self.world = world
    endpoint = RecordingEndpoint(clock: world.server.clock)
    host = SimulatedHost(
      name: "recorder \(index)", index: index, process: SimulatedProcess(endpoint),
      port: renewsPort ? 40_000 : 7447, renewsPort: renewsPort)
    world.connect(world.addInterface(to: host), toPlace: 0, families)
    world.touch(host)
  }

  var views: [NetworkView] { endpoint.views }

  /// Adds an interface that is connected to a place of its own, without a notice.
  func plugIn(_ families: AddressFamilies = .ipv4) -> SimulatedInterface {
    let interface = world.addInterface(to: host)
    world.connect(interface, families)
    return interface
  }

  /// Sends, and lets it arrive.
  func send(_ text: String, to remote: NetworkAddress, from local: NetworkAddress = .any(port: 0)) {
    endpoint.send(text, to: remote, from: local)
    world.touch(host)
    world.run(for: .milliseconds(1))
  }
}
