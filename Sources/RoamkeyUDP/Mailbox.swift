internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets
internal import RoamkeyWire

/// What passes between a driver and its loop: work, new sockets, the wish to end; and back, what may be seen outside.
///
/// One lock, held for a few instructions; the loop takes it four times a turn. The bell rings only for a loop that
/// sleeps: one that is awake looks before it does.
final class Mailbox<Handler: DatagramHandler>: Sendable {
  typealias Work = @Sendable (Handler, Instant) -> Void

  /// A socket that is to replace the loop's, and what is done then.
  struct Replacement: Sendable {
    var socket: UDPSocket
    var work: @Sendable (Handler, _ from: NetworkAddress, _ to: NetworkAddress, Instant) -> Void
    var done: Promise
  }

  /// How a replacement ended.
  final class Promise: Sendable {
    let gate = Gate()
    let error = Locked<UDPError?>(nil)
  }

  private struct State: Sendable {
    /// Not bounded here: whoever hands over work bounds it by the messages in flight (the loop has no way to refuse
    /// that would not break an order).
    var work: [Work] = []
    var replacements: [Replacement] = []
    var stops = false
    var isAsleep = false
    var sockets: [UDPSocket]
    var localAddress: NetworkAddress
    var statistics = SocketStatistics()

    /// Something waits for the loop.
    var hasNews: Bool { !work.isEmpty || !replacements.isEmpty || stops }

    /// Notes that the loop need not sleep.
    /// - Returns: whether the bell is to ring: the loop sleeps, and nobody else has rung.
    mutating func wake() -> Bool {
      defer { isAsleep = false }
      return isAsleep
    }
  }

  private let state: Locked<State>
  let bell: Bell

  /// - Parameter bell: of the loop; nil for a new one.
  init(socket: UDPSocket, bell: Bell? = nil) throws(SystemError) {
    if let bell { self.bell = bell } else { self.bell = try Bell() }
    state = Locked(State(sockets: [socket], localAddress: socket.localAddress))
  }

  // MARK: From any thread

  /// False when the loop has been told to stop.
  func post(_ work: @escaping Work) -> Bool {
    let (taken, rings) = state.withLock { state -> (Bool, Bool) in
      guard !state.stops else { return (false, false) }
      state.work.append(work)
      return (true, state.wake())
    }
    if rings { bell.ring() }
    return taken
  }

  /// False when the loop has been told to stop.
  func post(_ replacement: Replacement) -> Bool {
    let (taken, rings) = state.withLock { state -> (Bool, Bool) in
      guard !state.stops else { return (false, false) }
      state.replacements.append(replacement)
      return (true, state.wake())
    }
    if rings { bell.ring() }
    return taken
  }

  func stop() {
    state.withLock { $0.stops = true }
    bell.ring()
  }

  var localAddress: NetworkAddress { state.withLock { $0.localAddress } }

  var statistics: SocketStatistics {
    let (sockets, statistics) = state.withLock { ($0.sockets, $0.statistics) }
    var result = statistics
    for socket in sockets { result.overflowed += socket.overflowed }
    return result
  }

  // MARK: From the loop

  /// Asks for leave to sleep: from now on whoever posts something rings the bell.
  /// - Returns: false when something waits already.
  func mayRest() -> Bool {
    state.withLock { state in
      state.isAsleep = !state.hasNews
      return state.isAsleep
    }
  }

  /// Whether something waits.
  var hasNews: Bool { state.withLock { $0.hasNews } }

  /// Exchanges `work` (empty) for what was posted, so that two arrays take turns and neither is allocated anew.
  /// - Returns: whether the loop has been told to stop: what is in `work` is then the last.
  func take(_ work: inout [Work]) -> Bool {
    state.withLock { state in
      swap(&state.work, &work)
      state.isAsleep = false
      return state.stops
    }
  }

  /// Taken after the work has run, since that may have asked for one.
  func takeReplacements() -> [Replacement] {
    state.withLock { state in
      guard !state.replacements.isEmpty else { return [] }
      defer { state.replacements = [] }
      return state.replacements
    }
  }

  /// - Parameters:
  ///   - sockets: all that there are now.
  ///   - localAddress: the main one's.
  ///   - statistics: of those that are closed, too.
  func publish(_ sockets: [UDPSocket], localAddress: NetworkAddress, _ statistics: SocketStatistics) {
    // Sockets that are closed are let go outside of the lock.
    var old: [UDPSocket] = sockets
    state.withLock { state in
      swap(&state.sockets, &old)
      state.localAddress = localAddress
      state.statistics = statistics
    }
  }

  func publish(_ statistics: SocketStatistics) {
    state.withLock { $0.statistics = statistics }
  }
}
