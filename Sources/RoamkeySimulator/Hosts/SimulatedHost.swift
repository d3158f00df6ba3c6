import DequeModule
package import RoamkeyEngine
package import RoamkeyWire

/// A machine on the simulated network: an endpoint, its addresses, its access to the network, and an app that keeps
/// what it gets.
package final class SimulatedHost {
  /// A message that waits for room in the engine's queue.
  struct Outgoing {
    let session: SessionHandle
    let content: [UInt8]
  }

  package let name: String
  let endpoint: any SimulatedEndpoint

  // MARK: Network

  /// Its own address, and the one that others see: they differ behind a NAT.
  package internal(set) var inside: NetworkAddress
  package internal(set) var outside: NetworkAddress
  /// While false, nothing leaves and nothing arrives.
  package var isUp = true
  var uplink: AccessLink
  var downlink: AccessLink
  /// Outside addresses at which something arrived from the server.
  private(set) var heardAt: [NetworkAddress] = []

  // MARK: App

  /// Everything but messages that the engine reported, in order.
  package private(set) var events: [EngineEvent] = []
  /// The bodies of the messages of each session, in order.
  package private(set) var inbox: [SessionHandle: [[UInt8]]] = [:]
  /// Whether the app takes messages as they come; if not, `world.consumeAll` does so later.
  package var isReading = true
  /// Credit of messages that the app has not taken.
  private var unread: [(session: SessionHandle, credit: Int)] = []
  private var outbox = Deque<Outgoing>()
  /// Messages that the app could not send, since their session had ended.
  package private(set) var undeliverable = 0

  // MARK: For the world's loop

  var wake: Instant?
  var isTouched = false
  /// It went wrong in a way that would keep the world from ever moving on.
  var isStuck = false
  var counters = HostCounters()

  init(name: String, endpoint: any SimulatedEndpoint, address: NetworkAddress, conditions: NetworkConditions) {
    self.name = name
    self.endpoint = endpoint
    inside = address
    outside = address
    uplink = AccessLink(conditions)
    downlink = AccessLink(conditions)
  }

  /// Datagrams and bytes that it has sent and been given.
  package var traffic: HostCounters { counters }

  /// Messages that still wait for room in the engine's queue.
  package var waitingMessages: Int { outbox.count }

  /// Bytes of messages, as the engine counts them, that arrived and were not taken by the app.
  package var unreadBytes: Int { unread.reduce(0) { $0 + $1.credit } }

  func heard(at address: NetworkAddress) {
    if heardAt.last != address, !heardAt.contains(address) { heardAt.append(address) }
  }

  func enqueue(_ content: [UInt8], to session: SessionHandle) {
    outbox.append(Outgoing(session: session, content: content))
  }

  /// Hands the engine as many waiting messages as it takes.
  func pump(now: Instant) {
    while let first = outbox.first {
      do throws(SendError) {
        try endpoint.submit(first.content, to: first.session, now: now)
      } catch {
        switch error {
        case .queueFull: return
        case .tooLarge, .notConnected: undeliverable += 1
        }
      }
      outbox.removeFirst()
    }
  }

  /// Takes note of what the engine reports.
  func receive(_ new: [EngineEvent], now: Instant) {
    for event in new {
      guard case .message(let session, let message) = event else {
        events.append(event)
        continue
      }
      inbox[session, default: []].append(message.content.body)
      unread.append((session, message.credit))
    }
    if isReading { takeUnread(now: now) }
  }

  /// The app takes all that has arrived.
  func takeUnread(now: Instant) {
    for (session, credit) in unread { endpoint.release(credit, of: session, now: now) }
    unread.removeAll(keepingCapacity: true)
  }
}

/// What a host sent and was given.
package struct HostCounters: Sendable, Equatable {
  package var datagramsSent = 0
  package var bytesSent = 0
  package var datagramsReceived = 0
  package var bytesReceived = 0
}
