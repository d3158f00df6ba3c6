internal import Glibc
public import RoamkeyWire

/// Why a UDP socket could not be opened or moved. Its description says what to do.
///
/// Nothing that happens to a datagram is ever one of these: send and receive errors are counted in `SocketStatistics`.
public struct UDPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong.
  public enum Kind: Hashable, Sendable {
    /// Another program, or another socket of this one, has the port.
    case portInUse
    /// This machine does not have the address (any more), or not the address family.
    case addressNotAvailable
    /// The system forbids it: a port below 1024, or a sandbox.
    case permissionDenied
    /// The driver was stopped before.
    case stopped
    /// The system has no more descriptors, memory or threads, or refused for another reason.
    case system
  }

  /// What went wrong.
  public let kind: Kind
  /// The address that was asked for.
  public let address: NetworkAddress
  /// The system's error number, 0 when there is none.
  let number: CInt

  init(_ kind: Kind, _ address: NetworkAddress, number: CInt = 0) {
    self.kind = kind
    self.address = address
    self.number = number
  }

  /// What `errno` says of opening or binding a socket.
  init(number: CInt, address: NetworkAddress) {
    let kind: Kind =
      switch number {
      case EADDRINUSE: .portInUse
      case EADDRNOTAVAIL, EAFNOSUPPORT, ENODEV: .addressNotAvailable
      case EACCES, EPERM: .permissionDenied
      default: .system
      }
    self.init(kind, address, number: number)
  }

  public var description: String {
    switch kind {
    case .portInUse:
      "UDP port \(address.port) on \(place) is already in use: choose another port or stop the other program"
    case .addressNotAvailable:
      "this machine cannot listen on \(place): use one of its own addresses, or 0.0.0.0 for all of them"
    case .permissionDenied:
      "the system does not allow UDP port \(address.port) on \(place): choose a port above 1023 or ask for the right to"
    case .stopped:
      "the network driver was stopped: make a new one"
    case .system:
      "cannot open UDP port \(address.port) on \(place): \(String(cString: strerror(number)))"
    }
  }

  private var place: String {
    if address.isUnspecified { return "all addresses" }
    let text = address.description
    return String(text[..<(text.lastIndex(of: ":") ?? text.endIndex)])
  }
}
