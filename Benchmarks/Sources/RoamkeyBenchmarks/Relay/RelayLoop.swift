internal import BenchmarkSockets
internal import DequeModule
internal import Glibc
internal import Synchronization

/// The relay's thread.
///
/// `@unchecked`: all but `state` is handed to exactly one thread, and used by no other from then on.
final class RelayLoop: @unchecked Sendable {
  /// A socket towards the server, for one client.
  private struct Upstream {
    let socket: DatagramSocket
    let client: UInt16
    /// The client has another address now: what still comes here is lost.
    var isLeft = false
  }

  /// A datagram on its way.
  private struct Held {
    var due: Monotonic
    /// Among `upstreams`.
    var client: Int
    var bytes: [UInt8]
  }

  /// So that neither a wish to stop nor a burst in one direction has to wait.
  private static let longestWait: Duration = .milliseconds(10)
  private static let batch = 64
  private static let maximumClients = 64

  let state: Mutex<Relay.State>
  let front: DatagramSocket
  private let server: UInt16
  private let spin: Duration
  private var upstreams: [Upstream] = []
  private var up = Deque<Held>()
  private var down = Deque<Held>()
  private var buffer = [UInt8](repeating: 0, count: DatagramSocket.maximumSize)
  private var waits: [pollfd]
  /// What each socket has lost, the front first.
  private var overruns: [UInt32] = [0]

  init(server: UInt16, spin: Duration, state: Relay.State) throws(BenchmarkFailure) {
    self.server = server
    self.spin = spin
    self.state = Mutex(state)
    front = try DatagramSocket()
    waits = [pollfd(fd: front.descriptor, events: Int16(POLLIN), revents: 0)]
  }

  func run() {
    bench_set_timer_slack(1)
    while true {
      DatagramSocket.wait(for: &waits, atMost: timeToWait)
      let isStopped = state.withLock { state in
        if state.wantsMove { move(&state) }
        receiveFromClients(&state)
        for index in upstreams.indices { receiveFromServer(index, &state) }
        state.overruns = overruns.reduce(0) { $0 + Int($1) }
        release(&state)
        return state.isStopped
      }
      if isStopped { return }
    }
  }

  /// Zero or less when something is due so soon that the thread must not sleep.
  private var timeToWait: Duration {
    guard let next = [up.first, down.first].compactMap({ $0?.due }).min() else { return Self.longestWait }
    return min(Self.longestWait, next - Monotonic.now - spin)
  }

  private func move(_ state: inout Relay.State) {
    for index in upstreams.indices { upstreams[index].isLeft = true }
    state.wantsMove = false
  }

  private func receiveFromClients(_ state: inout Relay.State) {
    for _ in 0..<Self.batch {
      guard let arrival = front.receive(into: &buffer) else { return }
      overruns[0] = max(overruns[0], arrival.overruns)
      guard let client = index(of: arrival.from) else { continue }
      if case .leaves(let due) = state.up.admit(size: arrival.size, at: arrival.time) {
        up.append(Held(due: due, client: client, bytes: Array(buffer[..<arrival.size])))
      }
    }
  }

  private func receiveFromServer(_ index: Int, _ state: inout Relay.State) {
    for _ in 0..<Self.batch {
      guard let arrival = upstreams[index].socket.receive(into: &buffer) else { return }
      overruns[index + 1] = max(overruns[index + 1], arrival.overruns)
      if upstreams[index].isLeft { continue }
      if case .leaves(let due) = state.down.admit(size: arrival.size, at: arrival.time) {
        down.append(Held(due: due, client: index, bytes: Array(buffer[..<arrival.size])))
      }
    }
  }

  /// Where a client stands in `upstreams`; nil where there is no room for another one.
  private func index(of client: UInt16) -> Int? {
    if let index = upstreams.firstIndex(where: { $0.client == client && !$0.isLeft }) { return index }
    guard upstreams.count < Self.maximumClients, let socket = try? DatagramSocket(connectedTo: server) else {
      return nil
    }
    upstreams.append(Upstream(socket: socket, client: client))
    waits.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0))
    overruns.append(0)
    return upstreams.count - 1
  }

  /// Sends what is due.
  private func release(_ state: inout Relay.State) {
    while let held = up.first, held.due <= Monotonic.now {
      up.removeFirst()
      // A cut takes what is under way as well.
      guard !state.up.isCut else {
        state.up.noteCut(size: held.bytes.count)
        continue
      }
      let now = Monotonic.now
      let wasTaken = upstreams[held.client].socket.send(held.bytes)
      state.up.didRelease(due: held.due, at: now, wasTaken: wasTaken)
    }
    while let held = down.first, held.due <= Monotonic.now {
      down.removeFirst()
      guard !state.down.isCut else {
        state.down.noteCut(size: held.bytes.count)
        continue
      }
      if upstreams[held.client].isLeft { continue }
      let now = Monotonic.now
      let wasTaken = front.send(held.bytes, to: upstreams[held.client].client)
      state.down.didRelease(due: held.due, at: now, wasTaken: wasTaken)
    }
  }
}
