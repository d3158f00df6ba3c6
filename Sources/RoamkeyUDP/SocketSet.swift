internal import RoamkeyEngine
internal import RoamkeyWire

/// The sockets of one loop: the main one, those that it replaced lately, and the doors. Each has a slot of its own,
/// which the poller and the send ring know it by.
struct SocketSet: ~Copyable {
  /// How long a replaced socket stays for what is still on its way to it.
  static let lingering: Duration = .seconds(3)
  /// Replaced sockets that stay; in a flapping network the oldest goes early.
  static let mostLingering = 8
  static let mostDoors = 4
  /// With the main one, and another while that is replaced.
  static let capacity = 2 + mostLingering + mostDoors

  enum Role: Equatable {
    case main
    /// Replaced; closes then.
    case lingering(until: Instant)
    /// Sends by this route only.
    case door(Route)
  }

  struct Member {
    let socket: UDPSocket
    var role: Role
  }

  /// How a datagram leaves.
  struct Departure: Equatable {
    var slot: Int
    /// The address that the system is asked to send from; an unspecified one leaves it the choice.
    var source: NetworkAddress
    /// The interface that it is asked to send through; 0 leaves it the choice.
    var interface: UInt32
    /// Whether it had better leave from another address than not at all.
    var mayChangeSource: Bool
  }

  private(set) var main: UDPSocket
  private(set) var mainSlot = 0
  private(set) var members: [Member?]
  /// When the next replaced socket is to be closed.
  private(set) var nextClosing = Instant.distantFuture
  /// How many there are.
  private(set) var count = 1
  /// Rises with each change of the sockets.
  private(set) var changes = 0

  init(main: UDPSocket, poller: borrowing Poller) throws(SystemError) {
    try poller.add(main, slot: 0)
    self.main = main
    members = Array(repeating: nil, count: Self.capacity)
    members[0] = Member(socket: main, role: .main)
  }

  // MARK: Looking

  subscript(slot: Int) -> UDPSocket? { members[slot]?.socket }

  var all: [UDPSocket] { members.compactMap { $0?.socket } }

  /// Routes of the doors, and their addresses with the sockets' ports, in order of their slots.
  var doors: [(route: Route, address: NetworkAddress)] {
    members.compactMap { member in
      guard let member, case .door(let route) = member.role else { return nil }
      var address = route.source
      address.port = member.socket.localAddress.port
      return (route, address)
    }
  }

  /// Which socket sends what is to leave from `local`, and how.
  ///
  /// A socket that is gone takes its source address with it: the address beside it was that of another network, and
  /// who moved must not be seen with both.
  func departure(from local: NetworkAddress) -> Departure {
    if local.port == 0 || local.port == main.localAddress.port {
      return Departure(slot: mainSlot, source: local, interface: local.scope, mayChangeSource: true)
    }
    if count > 1 {
      for slot in members.indices {
        guard let member = members[slot], member.socket.localAddress.port == local.port else { continue }
        switch member.role {
        case .main: break
        case .lingering:
          return Departure(slot: slot, source: local, interface: local.scope, mayChangeSource: false)
        case .door(let route):
          let source = local.isUnspecified || local.isMulticast ? route.source : local
          return Departure(slot: slot, source: source, interface: route.interface, mayChangeSource: false)
        }
      }
    }
    return Departure(slot: mainSlot, source: .any(port: 0), interface: 0, mayChangeSource: true)
  }

  // MARK: Changing

  /// Replaces the main socket, which is closed now.
  mutating func replaceMain(by new: UDPSocket, _ poller: inout Poller, _ statistics: inout SocketStatistics)
    throws(SystemError)
  {
    let slot = try add(new, as: .main, &poller, &statistics)
    close(mainSlot, &poller, &statistics)
    (main, mainSlot) = (new, slot)
  }

  /// Replaces the main socket, which stays for a while.
  mutating func renewMain(
    by new: UDPSocket, at now: Instant, _ poller: inout Poller, _ statistics: inout SocketStatistics
  ) throws(SystemError) {
    let slot = try add(new, as: .main, &poller, &statistics)
    if lingering.count >= Self.mostLingering, let oldest = lingering.min(by: { $0.end < $1.end }) {
      close(oldest.slot, &poller, &statistics)
    }
    members[mainSlot]?.role = .lingering(until: now + Self.lingering)
    (main, mainSlot) = (new, slot)
    planClosing()
  }

  /// Adds a door; at most `mostDoors`.
  mutating func addDoor(
    _ socket: UDPSocket, by route: Route, _ poller: inout Poller, _ statistics: inout SocketStatistics
  ) throws(SystemError) {
    precondition(doors.count < Self.mostDoors, "there are at most four doors")
    _ = try add(socket, as: .door(route), &poller, &statistics)
  }

  /// Closes the doors whose route is none of these.
  mutating func closeDoors(except routes: [Route], _ poller: inout Poller, _ statistics: inout SocketStatistics) {
    for slot in members.indices {
      guard case .door(let route) = members[slot]?.role, !routes.contains(route) else { continue }
      close(slot, &poller, &statistics)
    }
  }

  /// Closes replaced sockets whose time has come.
  mutating func closeOverdue(at now: Instant, _ poller: inout Poller, _ statistics: inout SocketStatistics) {
    for slot in members.indices {
      guard case .lingering(let end) = members[slot]?.role, end <= now else { continue }
      close(slot, &poller, &statistics)
    }
  }

  private mutating func add(
    _ socket: UDPSocket, as role: Role, _ poller: inout Poller, _ statistics: inout SocketStatistics
  ) throws(SystemError) -> Int {
    guard let slot = members.firstIndex(where: { $0 == nil }) else {
      preconditionFailure("there is a slot for as many sockets as there may be")
    }
    try poller.add(socket, slot: slot)
    members[slot] = Member(socket: socket, role: role)
    count += 1
    changes += 1
    return slot
  }

  private mutating func close(_ slot: Int, _ poller: inout Poller, _ statistics: inout SocketStatistics) {
    guard let member = members[slot] else { return }
    poller.remove(member.socket)
    statistics.overflowed += member.socket.overflowed
    members[slot] = nil
    count -= 1
    changes += 1
    planClosing()
  }

  private var lingering: [(slot: Int, end: Instant)] {
    members.indices.compactMap { slot in
      guard case .lingering(let end) = members[slot]?.role else { return nil }
      return (slot, end)
    }
  }

  private mutating func planClosing() {
    nextClosing = lingering.map(\.end).min() ?? .distantFuture
  }
}
