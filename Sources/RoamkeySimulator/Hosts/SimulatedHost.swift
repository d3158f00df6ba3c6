import DequeModule
package import RoamkeyEngine
package import RoamkeyWire

/// A machine on the simulated network: its addresses, its access to the network, its clock, and the process that runs
/// on it.
package final class SimulatedHost {
  enum State {
    case running
    /// No timers and no receiving until then. `frozen`: what its clock shows, where that has stopped as well.
    case suspended(until: Instant, frozen: Instant?)
    /// No process, and so nobody to receive what arrives.
    case stopped
  }

  /// A datagram that waits for a process that does not read.
  struct Unread {
    let datagram: Datagram
    let inside: NetworkAddress
  }

  package let name: String
  /// Its number in the world; the server is 0.
  let index: Int
  /// What runs on it, or was started there last.
  package internal(set) var process: SimulatedProcess
  /// What ran there before, oldest first.
  package internal(set) var formerProcesses: [SimulatedProcess] = []
  var state = State.running
  /// The clock that its process reads. It is set before the process begins to use it.
  package var clock = SimulatedClock()

  // MARK: Network

  /// Its own address, and the one that others see: they differ behind a NAT. Behind a simulated one it is the address
  /// of the last datagram that left, with port 0 before the first.
  package internal(set) var inside: NetworkAddress
  package internal(set) var outside: NetworkAddress
  package internal(set) var nat: SimulatedNAT?
  /// While false, nothing leaves and nothing arrives.
  package var isUp = true
  package internal(set) var uplink: AccessLink
  package internal(set) var downlink: AccessLink
  /// Bytes that wait for a suspended process at most; what exceeds them is lost. The default is Linux's.
  package var socketBufferLimit = 212_992
  /// Datagrams lost for want of room there, or of a process.
  package internal(set) var missedDatagrams = 0
  var socketBuffer = Deque<Unread>()
  var socketBufferBytes = 0
  /// Outside addresses at which its process got something from the server's.
  var heardAt: [NetworkAddress] = []

  // MARK: App

  /// Whether the app takes messages as they come; if not, `world.consumeAll` does so later.
  package var isReading = true

  // MARK: For the world's loop

  /// When the world will look after it: never later than its endpoint wants to be woken.
  var scheduledWake: Instant?
  var isTouched = false
  /// What the process does as soon as it runs; it must not hold the host.
  var notices: [(Instant) -> Void] = []
  var counters = HostCounters()

  init(
    name: String, index: Int, process: SimulatedProcess, address: NetworkAddress, conditions: NetworkConditions
  ) {
    self.name = name
    self.index = index
    self.process = process
    inside = address
    outside = address
    uplink = AccessLink(conditions)
    downlink = AccessLink(conditions)
  }

  /// Datagrams and bytes that it has sent and been given.
  package var traffic: HostCounters { counters }

  /// Whether a process is there and not suspended.
  package var isRunning: Bool {
    switch state {
    case .running: true
    case .suspended, .stopped: false
    }
  }

  var endpoint: any SimulatedEndpoint { process.endpoint }

  /// Everything but messages that the engine reported to the process, in order.
  package var events: [EngineEvent] { process.events }

  /// The bodies of the messages of each of the process's sessions, in order.
  package var inbox: [SessionHandle: [[UInt8]]] { process.inbox }

  /// Messages that the app could not send, since their session had ended.
  package var undeliverable: Int { process.undeliverable }

  /// Messages that still wait for room in the engine's queue.
  package var waitingMessages: Int { process.waitingMessages }

  /// Bytes of messages, as the engine counts them, that arrived and were not taken by the app.
  package var unreadBytes: Int { process.unreadBytes }

  /// The next datagram that waited.
  func takeUnread() -> Unread? {
    guard let next = socketBuffer.popFirst() else { return nil }
    socketBufferBytes -= next.datagram.bytes.count
    return next
  }

  func heard(at address: NetworkAddress) {
    if heardAt.last != address, !heardAt.contains(address) { heardAt.append(address) }
  }
}

/// What a host sent and was given.
package struct HostCounters: Sendable, Equatable {
  package var datagramsSent = 0
  package var bytesSent = 0
  package var datagramsReceived = 0
  package var bytesReceived = 0
}
