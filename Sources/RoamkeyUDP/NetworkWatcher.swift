internal import Glibc
internal import RoamkeyEngine
internal import RoamkeySockets

/// Hears that something about the machine's networks has changed; what, is for `NetworkQueries` to find out.
struct NetworkWatcher: ~Copyable {
  /// Messages that one call takes off, so that a storm of them cannot keep the loop.
  private static let batch = 64

  private let socket: Descriptor

  /// - Throws: where the system gives no such socket, as in some sandboxes.
  init() throws(SystemError) {
    socket = try Descriptor(roamkey_netlink_open(0, ROAMKEY_NETWORK_GROUPS))
  }

  var descriptor: CInt { socket.number }

  /// Takes off what has come.
  /// - Returns: whether anything has.
  /// - Throws: when the socket is of no more use.
  borrowing func drain() throws(SystemError) -> Bool {
    var hasChanged = false
    var ignored: UInt64 = 0
    for _ in 0..<Self.batch {
      guard roamkey_netlink_receive(descriptor, &ignored, 8) < 0 else {
        hasChanged = true
        continue
      }
      switch errno {
      case EAGAIN: return hasChanged
      case EINTR: continue
      // More has happened than the system could keep for us (ENOBUFS): whatever it was, it is time to look.
      case ENOBUFS, ENOMEM: hasChanged = true
      default: throw SystemError(number: errno)
      }
    }
    return hasChanged
  }
}

/// How often the loop looks at the networks: at once for the first changes of a burst, so that a move waits for
/// nothing, and evenly spaced in a storm (a router's table that is being filled), which must not take the processor.
struct LookBudget {
  /// Looks without a pause between them.
  static let burst = 8
  /// Between two looks of a storm; one takes a fraction of a millisecond.
  static let pause: Duration = .milliseconds(50)

  /// When the whole burst is at hand again.
  private var full = Instant(nanoseconds: .min)

  /// When the next look is allowed.
  var next: Instant { full - Self.pause * (Self.burst - 1) }

  /// Takes a look's share.
  mutating func spend(at now: Instant) {
    full = max(full, now) + Self.pause
  }
}
