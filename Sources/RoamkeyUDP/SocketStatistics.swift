internal import Glibc

/// What a driver's sockets have carried and lost, since the driver began.
package struct SocketStatistics: Hashable, Sendable {
  /// How many calls failed, by kind. Each failed send lost one datagram, and nothing else.
  package struct Failures: Hashable, Sendable {
    /// No route, no network, or the host does not answer (ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN).
    package var unreachable: UInt64 = 0
    /// A firewall said no (EPERM, EACCES).
    package var forbidden: UInt64 = 0
    /// The source address is not, or no longer, this machine's (EADDRNOTAVAIL), even without asking for one.
    package var noAddress: UInt64 = 0
    /// The system had no memory or a full device queue (ENOBUFS, ENOMEM).
    package var noBuffer: UInt64 = 0
    /// Nobody listens there (ECONNREFUSED).
    package var refused: UInt64 = 0
    /// Larger than the interface takes without fragmenting (EMSGSIZE).
    package var tooLarge: UInt64 = 0
    /// The system does not take such an address (EINVAL, EAFNOSUPPORT): port 0, a class it reserves.
    package var invalid: UInt64 = 0
    /// Anything else; `lastError` tells.
    package var other: UInt64 = 0
    /// The newest error number, for diagnosis; 0 when there was none.
    package var lastError: Int32 = 0

    /// All of them together.
    package var total: UInt64 {
      unreachable + forbidden + noAddress + noBuffer + refused + tooLarge + invalid + other
    }

    /// Adds what another socket has counted.
    mutating func add(_ other: Failures) {
      unreachable += other.unreachable
      forbidden += other.forbidden
      noAddress += other.noAddress
      noBuffer += other.noBuffer
      refused += other.refused
      tooLarge += other.tooLarge
      invalid += other.invalid
      self.other += other.other
      if other.lastError != 0 { lastError = other.lastError }
    }

    mutating func count(_ number: CInt) {
      lastError = number
      switch number {
      case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: unreachable += 1
      case EPERM, EACCES: forbidden += 1
      case EADDRNOTAVAIL: noAddress += 1
      case ENOBUFS, ENOMEM: noBuffer += 1
      case ECONNREFUSED: refused += 1
      case EMSGSIZE: tooLarge += 1
      case EINVAL, EAFNOSUPPORT: invalid += 1
      default: other += 1
      }
    }
  }

  /// Datagrams handed to the handler.
  package var datagramsReceived: UInt64 = 0
  /// Their UDP payload bytes.
  package var bytesReceived: UInt64 = 0
  /// Datagrams the system took for sending.
  package var datagramsSent: UInt64 = 0
  /// Their UDP payload bytes.
  package var bytesSent: UInt64 = 0
  /// Runs of datagrams that the system took in one piece, to cut them up by itself (GSO).
  package var runsSent: UInt64 = 0
  /// Datagrams in them; counted in `datagramsSent` as well.
  package var datagramsSentInRuns: UInt64 = 0
  /// Times that the system took no run though it took its datagrams one by one, and was given none any more.
  package var runsRefused: UInt64 = 0
  /// Runs of datagrams that the system joined for us (GRO).
  package var runsReceived: UInt64 = 0
  /// Datagrams in them; counted in `datagramsReceived` as well.
  package var datagramsReceivedInRuns: UInt64 = 0
  /// Datagrams dropped because they were larger than any of ours.
  package var truncated: UInt64 = 0
  /// Datagrams the system dropped before we saw them, because the receive buffer was full. A run that it had joined
  /// already counts as one.
  package var overflowed: UInt64 = 0
  /// Times that the send buffer was full, and the datagrams waited.
  package var sendWaits: UInt64 = 0
  /// Datagrams that were sent without their source address, because that one has vanished.
  package var sourcesDropped: UInt64 = 0
  /// Sends that failed.
  package var sendFailures = Failures()
  /// Receive calls that failed.
  package var receiveFailures = Failures()
  /// Whether the machine's networks are watched: false for a driver that is not to, and where the system does not let
  /// it (a sandbox without netlink).
  package var watchesNetworks = false
  /// Times that the handler was told how the networks are, the first one included.
  package var networkChanges: UInt64 = 0
  /// Times that the networks could not be looked at; it is tried again.
  package var networkLooksFailed: UInt64 = 0
  /// Times that the main socket was replaced because the way to the peer was lost or another one.
  package var socketsRenewed: UInt64 = 0
  /// Sockets that were to be opened for a new way, and could not be; it is tried again.
  package var socketsRefused: UInt64 = 0
  /// Doors that are open now.
  package var doors = 0
  /// Datagrams that other drivers received and handed over to this one (`DatagramInbox`).
  package var datagramsHandedOver: UInt64 = 0
  /// Datagrams that were to be handed over to this one and found no room.
  package var handOversDropped: UInt64 = 0
  /// Turns of the loop.
  package var turns: UInt64 = 0

  package init() {}

  /// Adds what another driver of the same server has counted.
  package mutating func add(_ other: SocketStatistics) {
    let counters: [WritableKeyPath<SocketStatistics, UInt64>] = [
      \.datagramsReceived, \.bytesReceived, \.datagramsSent, \.bytesSent, \.runsSent, \.datagramsSentInRuns,
      \.runsRefused, \.runsReceived, \.datagramsReceivedInRuns, \.truncated, \.overflowed, \.sendWaits,
      \.sourcesDropped, \.networkChanges, \.networkLooksFailed, \.socketsRenewed, \.socketsRefused,
      \.datagramsHandedOver, \.handOversDropped, \.turns,
    ]
    for counter in counters { self[keyPath: counter] += other[keyPath: counter] }
    sendFailures.add(other.sendFailures)
    receiveFailures.add(other.receiveFailures)
    watchesNetworks = watchesNetworks || other.watchesNetworks
    doors += other.doors
  }
}
