import RoamkeyEngine

/// The loop: the next thing that happens, whoever is concerned, what they send because of it.
extension SimulatedWorld {
  /// Timeouts that may be due again at the same moment before a host counts as spinning: a driver would be at 100 %.
  private static let spinLimit = 8
  /// Datagrams that a host may have to send at one moment.
  private static let burstLimit = 20_000

  /// Lets time pass.
  package func run(for duration: Duration) { run(until: now + duration) { _ in false } }

  /// Runs until the condition holds.
  /// - Returns: whether it came to hold within `limit`.
  @discardableResult
  package func run(within limit: Duration, until condition: (SimulatedWorld) -> Bool) -> Bool {
    run(until: now + limit, condition)
  }

  /// Does something later.
  package func after(_ duration: Duration, _ action: @escaping (SimulatedWorld) -> Void) {
    queue.insert(.action(action), at: now + duration)
  }

  @discardableResult
  private func run(until end: Instant, _ condition: (SimulatedWorld) -> Bool) -> Bool {
    serviceTouched()
    while !isStuck {
      if condition(self) { return true }
      guard let next = nextMoment, next <= end else {
        now = max(now, end)
        return false
      }
      now = max(now, next)
      step()
    }
    return false
  }

  private var nextMoment: Instant? {
    hosts.reduce(queue.next) { earliest, host in
      guard let wake = host.wake else { return earliest }
      return earliest.map { min($0, wake) } ?? wake
    }
  }

  private func step() {
    while let occurrence = queue.takeDue(now: now) {
      switch occurrence {
      case .arrival(let datagram): arrive(datagram)
      case .action(let action): action(self)
      }
    }
    for host in hosts {
      guard let wake = host.wake, wake <= now else { continue }
      host.endpoint.handleTimeout(now: now)
      host.isTouched = true
    }
    serviceTouched()
  }

  private func serviceTouched() {
    for host in hosts where host.isTouched {
      host.isTouched = false
      service(host)
    }
  }

  /// What a driver does for an endpoint to which something happened.
  private func service(_ host: SimulatedHost) {
    for _ in 0..<Self.spinLimit {
      exchange(host)
      host.wake = host.endpoint.nextTimeout
      guard let wake = host.wake, wake <= now else { return }
      host.endpoint.handleTimeout(now: now)
    }
    fail("\(host.name) spins: its timeout stays due")
    host.isStuck = true
  }

  /// Sends what is to be sent, and lets the app react, until both have nothing more to do.
  private func exchange(_ host: SimulatedHost) {
    var events: [EngineEvent] = []
    var sent = 0
    repeat {
      events.removeAll(keepingCapacity: true)
      host.pump(now: now)
      while transmitNext(of: host) {
        sent += 1
        guard sent <= Self.burstLimit else {
          fail("\(host.name) sends without end")
          host.isStuck = true
          return
        }
      }
      host.endpoint.drainEvents(into: &events)
      for event in events { note(event) }
      host.receive(events, now: now)
    } while !events.isEmpty
  }

  private func note(_ event: EngineEvent) {
    guard case .message(let session, let message) = event else { return trace.note("\(event)".utf8) }
    trace.note(session.rawValue)
    trace.note(message.sequence)
    trace.note(datagram: message.content.body)
  }

  /// Takes note of what must not happen.
  func fail(_ what: String) {
    // The first ones tell; a flood of them would not tell more.
    if violations.count < 20 { violations.append("seed \(seed), \(elapsed): \(what)") }
  }
}
