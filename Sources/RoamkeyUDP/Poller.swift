internal import Glibc
package import RoamkeyEngine
internal import RoamkeySockets

/// What a loop sleeps on: its socket, a timer, and a bell that other threads ring.
///
/// The bell may be rung from any thread; all else is the loop's.
struct Poller: ~Copyable {
  /// What a wait found.
  struct Ready {
    var readable = false
    var writable = false
  }

  private enum Tag {
    static let socket: UInt32 = 0
    static let bell: UInt32 = 1
    static let timer: UInt32 = 2
  }

  private let epoll: Descriptor
  private let timer: Descriptor
  /// When the timer will ring; nil when it is not set.
  private var armed: Instant?
  private var waitsForRoom = false

  /// Opens the three descriptors.
  init(bell: CInt) throws(SystemError) {
    let epoll = try Descriptor(epoll_create1(ROAMKEY_EPOLL_CLOEXEC))
    let timer = try Descriptor(timerfd_create(CLOCK_MONOTONIC, ROAMKEY_TIMERFD_FLAGS))
    // Edge-triggered, a ring or an expiry wakes the loop once and needs no read to fall silent.
    try Self.add(bell, ROAMKEY_EPOLLIN.events | ROAMKEY_EPOLLET, Tag.bell, to: epoll)
    try Self.add(timer.number, ROAMKEY_EPOLLIN.events | ROAMKEY_EPOLLET, Tag.timer, to: epoll)
    self.epoll = epoll
    self.timer = timer
  }

  /// Begins to watch `socket`.
  borrowing func add(_ socket: UDPSocket) throws(SystemError) {
    let room = waitsForRoom ? ROAMKEY_EPOLLOUT.events : 0
    try Self.add(socket.descriptor, ROAMKEY_EPOLLIN.events | room, Tag.socket, to: epoll)
  }

  /// Ceases to watch `socket`.
  borrowing func remove(_ socket: UDPSocket) {
    _ = roamkey_epoll_control(epoll.number, EPOLL_CTL_DEL, socket.descriptor, 0, 0)
  }

  /// Whether the loop is to wake when `socket` has room in its send buffer.
  mutating func waitForRoom(_ wanted: Bool, of socket: UDPSocket) {
    guard wanted != waitsForRoom else { return }
    waitsForRoom = wanted
    let room = wanted ? ROAMKEY_EPOLLOUT.events : 0
    _ = roamkey_epoll_control(
      epoll.number, EPOLL_CTL_MOD, socket.descriptor, ROAMKEY_EPOLLIN.events | room, Tag.socket)
  }

  /// Sleeps until something is ready, the bell rings or the timer does; returns at once when `sleeps` is false.
  mutating func wait(sleeps: Bool) -> Ready {
    var events = InlineArray<4, UInt32>(repeating: 0)
    let count = withUnsafeMutableBytes(of: &events) { raw in
      roamkey_epoll_wait(epoll.number, sleeps ? -1 : 0, raw.baseAddress?.assumingMemoryBound(to: UInt32.self))
    }
    guard count > 0 else { return Ready() }
    if events[Int(Tag.timer)] != 0 { armed = nil }
    let socket = events[Int(Tag.socket)]
    // Errors show as readable: the receive call that follows takes them off the socket.
    let readable = ROAMKEY_EPOLLIN.events | ROAMKEY_EPOLLERR.events | ROAMKEY_EPOLLHUP.events
    return Ready(readable: socket & readable != 0, writable: socket & ROAMKEY_EPOLLOUT.events != 0)
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
