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
      // An app may have used the occasion to take or send something.
      serviceTouched()
      guard let next = queue.next, next <= end else {
        now = max(now, end)
        return false
      }
      now = max(now, next)
      step()
    }
    return false
  }

  private func step() {
    while let occurrence = queue.takeDue(now: now) {
      switch occurrence {
      case .flight(let flight): travel(flight)
      case .action(let action): action(self)
      case .wake(let host):
        // Another one may have taken its place, which is earlier or later.
        guard let scheduled = host.scheduledWake, scheduled <= now else { continue }
        host.scheduledWake = nil
        due.append(host)
      }
    }
    // As a driver does: all that has arrived, then the timers, then what follows from both.
    for host in due where host.isRunning {
      guard let wake = nextWake(of: host) else { continue }
      if wake <= now {
        host.endpoint.handleTimeout(now: time(of: host))
        touch(host)
      } else {
        schedule(host, at: wake)
      }
    }
    due.removeAll(keepingCapacity: true)
    serviceTouched()
  }

  private func serviceTouched() {
    var position = 0
    while position < touched.count, !isStuck {
      let host = touched[position]
      host.isTouched = false
      if host.isRunning { service(host) }
      position += 1
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// What a driver does for an endpoint to which something happened.
  private func service(_ host: SimulatedHost) {
    for _ in 0..<Self.spinLimit {
      exchange(host)
      lookIfNeeded(host)
      guard let wake = nextWake(of: host) else { return }
      guard wake <= now else { return schedule(host, at: wake) }
      host.endpoint.handleTimeout(now: time(of: host))
    }
    fail("\(host.name) spins: its timeout stays due")
    isStuck = true
  }

  private func nextWake(of host: SimulatedHost) -> Instant? {
    guard let timeout = host.endpoint.nextTimeout else { return nil }
    return host.clock.moment(of: timeout)
  }

  /// Looks after a host at a moment, or earlier: a timeout that moves later costs nothing.
  private func schedule(_ host: SimulatedHost, at wake: Instant) {
    if let scheduled = host.scheduledWake, scheduled <= wake { return }
    host.scheduledWake = wake
    queue.insert(.wake(host), at: wake)
  }

  /// Sends what is to be sent, and lets the app react, until both have nothing more to do.
  private func exchange(_ host: SimulatedHost) {
    let time = time(of: host)
    var sent = 0
    repeat {
      reported.removeAll(keepingCapacity: true)
      host.process.pump(now: time)
      var leaving = 0
      repeat {
        leaving = transmit(from: host, time: time)
        sent += leaving
        guard sent <= Self.burstLimit else {
          fail("\(host.name) sends without end")
          isStuck = true
          return
        }
      } while leaving > 0
      host.endpoint.drainEvents(into: &reported)
      for event in reported {
        note(event)
        if case .searching = event { lookUp(for: host) }
      }
      host.process.receive(reported, now: time)
      if host.isReading { host.process.takeUnread(now: time) }
    } while !reported.isEmpty
  }

  private func note(_ event: EngineEvent) {
    // The number of a receipt is the app's own affair.
    if case .receipt(let session, _, let outcome) = event { return trace.note("\(session.rawValue) \(outcome)".utf8) }
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
