internal import Glibc
package import RoamkeyEngine
package import RoamkeyWire

/// Answers questions of the local network for a server: a thread of its own, or where there is to be none, whoever
/// calls `look`.
package final class BeaconAnnouncer: Sendable {
  /// How often `look` looks, at most.
  private static let pause: Duration = .milliseconds(10)

  private struct State: Sendable {
    var statistics = DiscoveryStatistics()
    var stops = false
  }

  /// The loop of one without a thread; nil once it has stopped. `@unchecked`, because it is only used under the lock.
  private struct Polled: @unchecked Sendable {
    var loop: AnnouncerLoop?
    var next = Instant(nanoseconds: .min)
  }

  private let state: Locked<State>
  private let bell: Bell
  private let thread: LoopThread?
  private let polled: Locked<Polled>

  /// Opens the sockets and begins.
  /// - Parameters:
  ///   - address: where the server listens. What it does at `::1` nobody can ask for: loopback has no IPv6 groups.
  ///   - isPolled: whether there is to be no thread.
  ///   - population: asked on the thread when an answer is made.
  package init(
    _ responder: sending BeaconResponder, at address: NetworkAddress, isPolled: Bool,
    population: @escaping @Sendable () -> ServerPopulation
  ) throws(UDPError) {
    let state = Locked(State())
    do throws(SystemError) {
      let bell = try Bell()
      let loop = try AnnouncerLoop(responder, at: address, population)
      if isPolled {
        polled = Locked(Polled(loop: loop))
        thread = nil
      } else {
        polled = Locked(Polled())
        thread = try LoopThread(name: "roamkey-beacon") {
          DiscoveryPort.yieldToOthers()
          while !state.withLock({ $0.stops }) {
            loop.wait(bell.number)
            let statistics = loop.turn(now: .current)
            state.withLock { $0.statistics = statistics }
          }
          loop.end()
        }
      }
      self.bell = bell
    } catch {
      throw UDPError(number: error.number, address: .any(port: DiscoveryPort.number))
    }
    self.state = state
  }

  deinit { stop() }

  /// Answers what has come, where there is no thread; never waits. It looks a hundred times a second, however often it
  /// is called.
  package func look() {
    guard thread == nil else { return }
    let now = Instant.current
    polled.withLock { polled in
      guard polled.next <= now, let loop = polled.loop else { return }
      polled.next = now + Self.pause
      let statistics = loop.turn(now: now)
      state.withLock { $0.statistics = statistics }
    }
  }

  /// What it has counted.
  package var statistics: DiscoveryStatistics { state.withLock { $0.statistics } }

  /// Says goodbye to those who asked lately, and ends. May be called again.
  package func stop() {
    state.withLock { $0.stops = true }
    bell.ring()
    thread?.join()
    polled.withLock { polled in
      polled.loop?.end()
      polled.loop = nil
    }
  }
}

/// What an announcer does, on whichever thread.
private final class AnnouncerLoop {
  /// After a look at the links that failed.
  private static let retry: Duration = .seconds(1)

  private let port: DiscoveryPort
  /// Nil once it is of no more use.
  private var watcher: NetworkWatcher?
  private let responder: BeaconResponder
  private let population: @Sendable () -> ServerPopulation
  private var budget = LookBudget()
  /// When to look at the links again, since something has changed.
  private var nextLook = Instant.distantFuture

  init(
    _ responder: BeaconResponder, at address: NetworkAddress,
    _ population: @escaping @Sendable () -> ServerPopulation
  ) throws(SystemError) {
    self.responder = responder
    self.population = population
    // First, so that nothing is missed between the two.
    watcher = try NetworkWatcher()
    port = try DiscoveryPort(answeringFor: address)
  }

  /// Sleeps until there is something to do, or the bell rings.
  func wait(_ bell: CInt) {
    var descriptors = port.descriptors + [bell]
    if let watched = watcher?.descriptor { descriptors.append(watched) }
    DiscoveryPort.wait(descriptors, until: nextLook)
  }

  func turn(now: Instant) -> DiscoveryStatistics {
    do throws(SystemError) {
      if try watcher?.drain() ?? false { nextLook = min(nextLook, budget.next) }
    } catch {
      watcher = nil
    }
    if nextLook <= now {
      budget.spend(at: now)
      nextLook = (try? port.lookAndJoin()) == nil ? now + Self.retry : .distantFuture
    }
    port.receive { [port] datagram, arrival in
      let answer = responder.receive(datagram, arrival, links: port.links, now: now, population: population)
      guard let answer else { return }
      port.send(answer.bytes, to: answer.to, from: answer.source, by: answer.interface)
    }
    return responder.statistics
  }

  func end() {
    for answer in responder.farewells(now: .current) {
      port.send(answer.bytes, to: answer.to, from: answer.source, by: answer.interface)
    }
  }
}
