internal import RoamkeyEngine
internal import RoamkeyUDP

/// A value behind a lock, and tasks that wait until it meets a condition.
package final class Monitor<Value: Sendable>: Sendable {
  private enum Sleeper: Sendable {
    case task(CheckedContinuation<Void, Never>)
    case thread(Gate)

    func wake() {
      switch self {
      case .task(let continuation): continuation.resume()
      case .thread(let gate): gate.open()
      }
    }
  }

  private struct Waiter: Sendable {
    var condition: @Sendable (Value) -> Bool
    var sleeper: Sleeper
  }

  private struct State: Sendable {
    var value: Value
    var waiters: [UInt64: Waiter] = [:]
    var lastWaiter: UInt64 = 0

    mutating func nextWaiter() -> UInt64 {
      lastWaiter += 1
      return lastWaiter
    }
  }

  private let state: Locked<State>

  /// Begins with `value`.
  package init(_ value: Value) { state = Locked(State(value: value)) }

  /// Looks at or changes the value, and wakes whoever waited for what it is now.
  ///
  /// `body` runs under the lock: it must be short, and must not come back here.
  package func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R {
    let (result, met) = state.withLock { state -> (R, [Sleeper]) in
      let result = body(&state.value)
      guard !state.waiters.isEmpty else { return (result, []) }
      let met = state.waiters.filter { $0.value.condition(state.value) }
      for id in met.keys { state.waiters[id] = nil }
      return (result, met.values.map(\.sleeper))
    }
    // Outside of the lock: who is woken may want it at once.
    for sleeper in met { sleeper.wake() }
    return result
  }

  /// Returns when the value has met `condition`, or when the task is cancelled: look again.
  package func wait(
    isolation: isolated (any Actor)? = #isolation, until condition: @escaping @Sendable (Value) -> Bool
  ) async {
    let id = state.withLock { $0.nextWaiter() }
    await withTaskCancellationHandler(
      operation: {
        await withCheckedContinuation(isolation: isolation) { continuation in
          let isMet = state.withLock { state in
            // A cancellation that came before is seen here, a later one finds the waiter.
            if condition(state.value) || Task.isCancelled { return true }
            state.waiters[id] = Waiter(condition: condition, sleeper: .task(continuation))
            return false
          }
          if isMet { continuation.resume() }
        }
      },
      onCancel: {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.sleeper.wake()
      }, isolation: isolation)
  }

  /// Blocks the thread until the value meets `condition`, or until `limit`.
  func wait(until limit: Instant, for condition: @escaping @Sendable (Value) -> Bool) {
    let gate = Gate()
    let id = state.withLock { state -> UInt64? in
      guard !condition(state.value) else { return nil }
      let id = state.nextWaiter()
      state.waiters[id] = Waiter(condition: condition, sleeper: .thread(gate))
      return id
    }
    guard let id else { return }
    gate.wait(until: limit)
    state.withLock { $0.waiters[id] = nil }
  }
}
