internal import Glibc
package import RoamkeyEngine
internal import RoamkeySockets

/// What a loop sleeps on: its sockets, a timer, a bell that other threads ring, and the networks' changes.
///
/// The bell may be rung from any thread; all else is the loop's.
struct Poller: ~Copyable {
  /// What a wait found. Sockets are known by their slots (`SocketSet`): bit n stands for slot n.
  struct Ready {
    var readable: UInt32 = 0
    var writable: UInt32 = 0
    var networks = false
  }

  private enum Tag {
    static let bell: UInt32 = 0
    static let timer: UInt32 = 1
    static let networks: UInt32 = 2
    /// The first slot's; there is room for 29.
    static let firstSlot: UInt32 = 3
  }

  private let epoll: Descriptor
  private let timer: Descriptor
  /// When the timer will ring; nil when it is not set.
  private var armed: Instant?
  /// Whether a wait can be told its end; else the timer ends it.
  private var takesLimits: Bool
  /// The socket whose send buffer is full.
  private var awaited: (descriptor: CInt, slot: Int)?

  /// Opens its descriptors.
  /// - Parameter takesLimits: false where the timer is to end waits, as on older systems.
  init(bell: CInt, takesLimits: Bool = true) throws(SystemError) {
    let epoll = try Descriptor(epoll_create1(ROAMKEY_EPOLL_CLOEXEC))
    let timer = try Descriptor(timerfd_create(CLOCK_MONOTONIC, ROAMKEY_TIMERFD_FLAGS))
    // Edge-triggered, a ring or an expiry wakes the loop once and needs no read to fall silent.
    try Self.add(bell, ROAMKEY_EPOLLIN.events | ROAMKEY_EPOLLET, Tag.bell, to: epoll)
    try Self.add(timer.number, ROAMKEY_EPOLLIN.events | ROAMKEY_EPOLLET, Tag.timer, to: epoll)
    self.epoll = epoll
    self.timer = timer
    self.takesLimits = takesLimits
  }

  /// Begins to watch `socket`, which stands in `slot`.
  borrowing func add(_ socket: UDPSocket, slot: Int) throws(SystemError) {
    try Self.add(socket.descriptor, ROAMKEY_EPOLLIN.events, Self.tag(slot), to: epoll)
  }

  /// Ceases to watch `socket`.
  mutating func remove(_ socket: UDPSocket) {
    if awaited?.descriptor == socket.descriptor { awaited = nil }
    _ = roamkey_epoll_control(epoll.number, EPOLL_CTL_DEL, socket.descriptor, 0, 0)
  }

  /// Begins to watch for changes of the networks.
  borrowing func add(_ watcher: borrowing NetworkWatcher) throws(SystemError) {
    try Self.add(watcher.descriptor, ROAMKEY_EPOLLIN.events, Tag.networks, to: epoll)
  }

  /// Wakes the loop when `socket`, which stands in `slot`, has room in its send buffer; one at a time, nil for none.
  mutating func waitForRoom(of socket: UDPSocket?, slot: Int) {
    guard socket?.descriptor != awaited?.descriptor else { return }
    if let (descriptor, slot) = awaited {
      _ = roamkey_epoll_control(
        epoll.number, EPOLL_CTL_MOD, descriptor, ROAMKEY_EPOLLIN.events, Self.tag(slot))
    }
    awaited = socket.map { ($0.descriptor, slot) }
    if let (descriptor, slot) = awaited {
      _ = roamkey_epoll_control(
        epoll.number, EPOLL_CTL_MOD, descriptor, ROAMKEY_EPOLLIN.events | ROAMKEY_EPOLLOUT.events, Self.tag(slot))
    }
  }

  /// Sleeps until something is ready, the bell rings or the timer does; returns at once when `sleeps` is false.
  mutating func wait(sleeps: Bool) -> Ready {
    var ready = roamkey_ready()
    guard roamkey_epoll_wait(epoll.number, sleeps ? -1 : 0, &ready) > 0 else { return Ready() }
    return note(ready)
  }

  /// The same, until `limit` at the latest.
  mutating func wait(until limit: Instant) -> Ready {
    let now = Instant.current
    if limit <= now || limit == .distantFuture { return wait(sleeps: limit > now) }
    if takesLimits {
      // Without `Duration`, whose arithmetic has 128 bits.
      let left = limit.nanoseconds - now.nanoseconds
      var ready = roamkey_ready()
      var time = timespec(tv_sec: time_t(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
      let count = roamkey_epoll_wait_for(epoll.number, &time, &ready)
      if count >= 0 || errno == EINTR { return count > 0 ? note(ready) : Ready() }
      takesLimits = false
    }
    wake(at: limit)
    return wait(sleeps: true)
  }

  private mutating func note(_ ready: roamkey_ready) -> Ready {
    if ready.readable & 1 << Tag.timer != 0 { armed = nil }
    // Errors show as readable: the receive call that follows takes them off the socket.
    return Ready(
      readable: ready.readable >> Tag.firstSlot, writable: ready.writable >> Tag.firstSlot,
      networks: ready.readable & 1 << Tag.networks != 0)
  }

  /// Makes `wait` wake no later than `deadline`.
  ///
  /// A timer that rings earlier is left alone: deadlines mostly move on with each datagram, and one wake too many
  /// each round is cheaper than a system call each datagram.
  mutating func wake(at deadline: Instant) {
    if let armed, armed <= deadline { return }
    var value = itimerspec()
    // Zero would switch the timer off.
    let nanoseconds = max(deadline.nanoseconds, 1)
    value.it_value = timespec(
      tv_sec: time_t(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    if timerfd_settime(timer.number, ROAMKEY_TIMER_ABSOLUTE, &value, nil) == 0 { armed = deadline }
  }

  private static func tag(_ slot: Int) -> UInt32 { Tag.firstSlot + UInt32(slot) }

  private static func add(
    _ descriptor: CInt, _ events: UInt32, _ tag: UInt32, to epoll: borrowing Descriptor
  ) throws(SystemError) {
    guard roamkey_epoll_control(epoll.number, EPOLL_CTL_ADD, descriptor, events, tag) == 0 else {
      throw SystemError(number: errno)
    }
  }
}

extension CInt {
  fileprivate var events: UInt32 { UInt32(bitPattern: self) }
}

extension Instant {
  /// What the monotonic clock shows.
  package static var current: Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}
