internal import Synchronization

/// A network of our own between client and server: a UDP relay on a thread of its own that delays and drops datagrams,
/// each direction as its `Link` decides, and that can be cut. It changes no byte and no order.
///
/// Delays count from the moment at which the kernel took a datagram, so a relay that was woken late makes up for it.
final class Relay: Sendable {
  /// What has passed since the phase began.
  struct Report: Sendable {
    /// From clients to the server.
    var up = Link.Counts()
    var down = Link.Counts()
    /// How late datagrams of both directions left: the relay's own part in every figure.
    var lateness = Percentiles([])
    /// Datagrams that the relay did not read in time: a run that has some says nothing about the library.
    var overruns = 0
  }

  /// What the relay's thread and all others share.
  struct State: Sendable {
    var up: Link
    var down: Link
    var overruns = 0
    var overrunsBefore = 0
    var isStopped = false
    /// The clients are to get other addresses.
    var wantsMove = false
  }

  /// Where clients find it, on 127.0.0.1.
  let port: UInt16
  private let loop: RelayLoop

  /// Begins to carry.
  /// - Parameters:
  ///   - server: the server's port on 127.0.0.1.
  ///   - conditions: what happens in each direction.
  ///   - seed: of the datagrams to drop.
  ///   - spin: how long before a datagram is due the thread stops sleeping and looks at the clock without pause, since
  ///     sleepers wake late. It costs that much of a core for each datagram, so it is for sparse traffic.
  init(
    to server: UInt16, conditions: LinkConditions, seed: UInt64, spin: Duration = .zero
  ) throws(BenchmarkFailure) {
    let state = State(
      up: Link(conditions, seed: seed &* 2), down: Link(conditions, seed: seed &* 2 &+ 1))
    let loop = try RelayLoop(server: server, spin: spin, state: state)
    self.loop = loop
    port = loop.front.port
    runOnOwnThread { loop.run() }
  }

  deinit { stop() }

  func stop() { loop.state.withLock { $0.isStopped = true } }

  /// From here on it counts from zero, and drops by the sequence from its start.
  func beginPhase() {
    loop.state.withLock { state in
      state.up.beginPhase()
      state.down.beginPhase()
      state.overrunsBefore = state.overruns
    }
  }

  /// Cuts the network or mends it: while it is cut both directions drop everything, what is under way included.
  func setCut(_ isCut: Bool) {
    loop.state.withLock { state in
      state.up.isCut = isCut
      state.down.isCut = isCut
    }
  }

  /// From here on the server sees all clients at other addresses. What has come from them is still on its way from the
  /// old ones; what the server sends there, or had sent and has not arrived, is lost.
  func moveClients() { loop.state.withLock { $0.wantsMove = true } }

  var report: Report {
    let state = loop.state.withLock { $0 }
    return Report(
      up: state.up.counts, down: state.down.counts, lateness: Percentiles(state.up.lateness + state.down.lateness),
      overruns: state.overruns - state.overrunsBefore)
  }
}
