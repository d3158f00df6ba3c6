internal import Roamkey

/// The lines of a conversation on their way out: in their order, also where the server begins anew among them. What it
/// has not confirmed is said again then, before anything new.
final class Outbox: Sendable {
  private struct State: Sendable {
    /// How many restarts of the server were dealt with.
    var restarts = 0
    /// What is to be said again, and could not be said yet.
    var unsaid: [Undelivered] = []
    var isOver = false
  }

  private let client: Client
  private let options: SendOptions
  private let monitor = Monitor(State())

  init(_ client: Client, delivery: Delivery) {
    self.client = client
    options = SendOptions(delivery: delivery)
  }

  /// Waits while the queue is full, so that no line is lost, and while others go first. False when the session has
  /// ended.
  func send(_ message: Message) async -> Bool {
    while !Task.isCancelled {
      let restarts = monitor.withLock { $0.restarts }
      do throws(SendError) {
        if try client.send(message, options: options, restarts: restarts) { return true }
        await waitForOthers(after: restarts)
      } catch .queueFull {
        await client.waitForRoom()
      } catch {
        return false
      }
    }
    return false
  }

  /// Returns once the server has confirmed every line, or the session has ended, or the task is cancelled.
  func waitUntilDelivered() async {
    while !Task.isCancelled {
      let restarts = monitor.withLock { $0.restarts }
      await client.waitUntilDelivered(restarts: restarts)
      if client.restarts == restarts || monitor.withLock({ $0.isOver }) { return }
      await waitForOthers(after: restarts)
    }
  }

  /// Until what is to be said again after the next restart was said.
  private func waitForOthers(after restarts: Int) async {
    await monitor.wait { $0.restarts != restarts || $0.isOver }
  }

  // MARK: From the reader of events

  /// The server has begun anew; says again what it has not confirmed.
  /// - Returns: why lines were not said again that never can be.
  func resume(_ undelivered: [Undelivered]) async -> [SendError] {
    let restarts = monitor.withLock { state in
      state.unsaid = undelivered + state.unsaid
      return state.restarts + 1
    }
    var refused: [SendError] = []
    while let first = monitor.withLock({ $0.unsaid.first }) {
      do throws(SendError) {
        // Else it has begun anew once more: the next time, then, behind what was said now.
        guard try client.send(first.message, options: first.options, restarts: restarts) else { break }
      } catch .queueFull {
        await client.waitForRoom()
        continue
      } catch .notConnected {
        break
      } catch {
        refused.append(error)
      }
      monitor.withLock { _ = $0.unsaid.removeFirst() }
    }
    monitor.withLock { $0.restarts = restarts }
    return refused
  }

  /// The session has ended.
  func end() { monitor.withLock { $0.isOver = true } }

  /// How many lines the server has not confirmed, once the session has ended.
  var undelivered: Int { client.undelivered.count + monitor.withLock { $0.unsaid.count } }
}
