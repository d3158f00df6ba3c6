internal import Glibc
internal import RoamkeyEngine

/// A loop without a thread: whoever needs it runs it, one thread at a time.
///
/// A thread that polls while another one runs the loop waits until that one leaves. A thread that only wants something
/// done leaves word: whoever runs the loop looks before it leaves, so nothing that somebody waits for stays undone.
///
/// `@unchecked`: only the thread that is noted as the loop's runner touches it.
final class PolledLoop<Handler: DatagramHandler>: @unchecked Sendable {
  /// Turns of one call, beyond those that it waits for: a flood must not keep the app.
  private static var turnsAtOnce: Int { 16 }

  private enum Phase: Sendable {
    case free
    case run(by: UInt)
    case ended
  }

  private struct State: Sendable {
    var phase = Phase.free
    /// Somebody wants done what was posted.
    var isWanted = false
    /// Of those who wait until the runner leaves.
    var gates: [Gate] = []

    mutating func leave(_ phase: Phase) -> [Gate] {
      self.phase = phase
      defer { gates = [] }
      return gates
    }
  }

  private let state = Locked(State())
  /// Nil when it has ended.
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var loop: DriverLoop<Handler>?

  init(_ loop: sending DriverLoop<Handler>) { self.loop = loop }

  /// Whether the caller runs it, somewhere above on its stack.
  var isCurrent: Bool {
    let caller = Self.caller
    return state.withLock { state in
      if case .run(caller) = state.phase { true } else { false }
    }
  }

  /// Does what is there to do, and goes on until `isDone`, which it asks after each turn, or until `limit`.
  func poll(until limit: Instant, isDone: () -> Bool) {
    // As in `DriverLoop.run`.
    if let loop = self as? PolledLoop<ServerEndpoint> {
      loop.go(until: limit, isDone)
    } else if let loop = self as? PolledLoop<ClientEndpoint> {
      loop.go(until: limit, isDone)
    } else {
      go(until: limit, isDone)
    }
  }

  private func go(until limit: Instant, _ isDone: () -> Bool) {
    guard enter(until: limit) else { return }
    if limit <= .current || isDone() {
      if carry(.look) { leave() }
      return
    }
    // What was posted leaves before anything else: there may be nothing to wait for but the answer.
    var isOver = false
    if loop?.isBusy ?? false {
      guard carry(.work) else { return }
      isOver = isDone()
    }
    while !isOver {
      guard carry(.sleep(until: limit)) else { return }
      let now = loop?.now ?? limit
      isOver = limit <= now || isDone()
      if !isOver { loop?.gather(atMost: limit - now) }
    }
    leave()
  }

  /// Has done what was posted, by the caller or by whoever runs the loop now.
  func attend(_ start: TurnStart) {
    if let loop = self as? PolledLoop<ServerEndpoint> {
      loop.go(start)
    } else if let loop = self as? PolledLoop<ClientEndpoint> {
      loop.go(start)
    } else {
      go(start)
    }
  }

  private func go(_ start: TurnStart) {
    let runs = state.withLock { state in
      switch state.phase {
      case .free:
        state.phase = .run(by: Self.caller)
        return true
      case .run:
        state.isWanted = true
        return false
      case .ended: return false
      }
    }
    if runs, carry(start) { leave() }
  }

  /// Runs the last turn, which the mailbox was asked for, or waits until somebody has. In the midst of a turn of the
  /// caller's own that one's end is the last.
  func end() {
    while true {
      let caller = Self.caller
      let (runs, gate) = state.withLock { state -> (Bool, Gate?) in
        switch state.phase {
        case .free:
          state.phase = .run(by: caller)
          return (true, nil)
        case .run(caller):
          state.isWanted = true
          return (false, nil)
        case .run:
          let gate = Gate()
          state.gates.append(gate)
          return (false, gate)
        case .ended: return (false, nil)
        }
      }
      if runs { while turn(.work) {} }
      guard let gate else { return }
      gate.wait()
    }
  }

  // MARK: The runner

  private static var caller: UInt { UInt(pthread_self()) }

  /// Waits until nobody else runs it.
  /// - Returns: false when that took until `limit`, or when there is nothing to be run.
  private func enter(until limit: Instant) -> Bool {
    let caller = Self.caller
    while true {
      let (isIn, gate) = state.withLock { state -> (Bool, Gate?) in
        switch state.phase {
        case .free:
          state.phase = .run(by: caller)
          return (true, nil)
        case .run(caller), .ended: return (false, nil)
        case .run:
          let gate = Gate()
          state.gates.append(gate)
          return (false, gate)
        }
      }
      guard let gate else { return isIn }
      gate.wait(until: limit)
      if limit <= .current { return false }
    }
  }

  /// A turn, and others as long as there is more to do at once.
  /// - Returns: false when it has ended.
  private func carry(_ start: TurnStart) -> Bool {
    guard turn(start) else { return false }
    var left = Self.turnsAtOnce
    while left > 0, loop?.isBusy ?? false {
      guard turn(.look) else { return false }
      left -= 1
    }
    return true
  }

  private func turn(_ start: TurnStart) -> Bool {
    if let goesOn = loop?.turn(start), goesOn { return true }
    // Whoever waits for the end finds handler and sockets gone.
    loop = nil
    for gate in state.withLock({ $0.leave(.ended) }) { gate.open() }
    return false
  }

  private func leave() {
    while true {
      let gates = state.withLock { state -> [Gate]? in
        guard !state.isWanted else {
          state.isWanted = false
          return nil
        }
        return state.leave(.free)
      }
      if let gates {
        for gate in gates { gate.open() }
        return
      }
      guard turn(.work) else { return }
    }
  }
}
