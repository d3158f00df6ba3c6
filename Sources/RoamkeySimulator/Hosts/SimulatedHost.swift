import DequeModule
package import RoamkeyEngine
import RoamkeyWire

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

  /// Its interfaces, in the order in which they were added; none is ever taken out.
  package internal(set) var interfaces: [SimulatedInterface] = []
  /// Which of them the system sends by as long as that can carry it: the default route.
  package internal(set) var preferred = 0
  /// The port of the socket that carries whatever names no other, and how many ports it has had.
  package internal(set) var port: UInt16
  var portCount = 0
  /// Ports of sockets that were replaced, and until when they are read.
  var formerPorts: [(port: UInt16, until: Instant)] = []
  /// Whether a new way begins with a new socket, as a player's does; who is to be found keeps its port.
  let renewsPort: Bool
  /// The highest number of a place where it was.
  var lastPlace = 0
  /// How often its process was told of them at the last moment when it was.
  var looks = 0
  var lookedAt: Instant?
  /// What its process was told of its networks last, and the addresses to which it was to watch the ways then.
  package internal(set) var view = NetworkView()
  var watched: [NetworkAddress] = []
  /// The first of them, and the last way there: a new one is measured against it.
  var baseline: (destination: NetworkAddress, route: Route?)?
  /// Datagrams for which it had no way.
  package internal(set) var unroutableDatagrams = 0
  /// Bytes that wait for a suspended process at most; what exceeds them is lost. The default is Linux's.
  package var socketBufferLimit = 212_992
  /// Datagrams lost for want of room there, or of a process.
  package internal(set) var missedDatagrams = 0
  var socketBuffer = Deque<Unread>()
  var socketBufferBytes = 0
  /// Outside addresses at which its process got something from the server's.
  var proofs = Proofs()

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

  init(name: String, index: Int, process: SimulatedProcess, port: UInt16, renewsPort: Bool) {
    self.name = name
    self.index = index
    self.process = process
    self.port = port
    self.renewsPort = renewsPort
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
}

/// What a host sent and was given.
package struct HostCounters: Sendable, Equatable {
  package var datagramsSent = 0
  package var bytesSent = 0
  package var datagramsReceived = 0
  package var bytesReceived = 0
}
