internal import RoamkeyEngine
internal import RoamkeyUDP

/// Runs `work`, and cancels it when it takes longer than `limit`.
package func withDeadline(_ limit: Duration, _ work: @escaping @Sendable () async -> Void) async {
  await withTaskGroup(of: Void.self) { group in
    group.addTask { await work() }
    group.addTask { try? await Task.sleep(for: limit) }
    await group.next()
    group.cancelAll()
  }
}

extension UDPDriver {
  /// Asks the handler something on its own thread; nil when the driver has stopped.
  func ask<Answer: Sendable>(_ question: @escaping @Sendable (Handler, Instant) -> Answer) async -> Answer? {
    await withCheckedContinuation { continuation in
      let isTaken = perform { handler, now in continuation.resume(returning: question(handler, now)) }
      if isTaken { attend() } else { continuation.resume(returning: nil) }
    }
  }

  /// Waits for what only datagrams can bring. Where the driver is polled it carries them meanwhile, since nobody else
  /// may: a look each millisecond, on the threads that tasks share.
  func carrying(_ wait: @escaping @Sendable () async -> Void) async {
    guard isPolled else { return await wait() }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await wait() }
      group.addTask { [self] in
        while !Task.isCancelled {
          look()
          try? await Task.sleep(for: .milliseconds(1))
        }
      }
      await group.next()
      group.cancelAll()
    }
  }
}

extension String {
  /// As many whole characters of the beginning as fit into `count` bytes of UTF-8.
  package func prefix(utf8Count count: Int) -> String {
    var room = count
    return String(
      prefix { character in
        room -= character.utf8.count
        return room >= 0
      })
  }
}
