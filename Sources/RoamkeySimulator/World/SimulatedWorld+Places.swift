import RoamkeyEngine
import RoamkeyWire

/// Where hosts are in the network, and how good it is there.
extension SimulatedWorld {
  // MARK: Conditions

  /// Changes how a host's access treats datagrams, both ways.
  package func setConditions(_ conditions: NetworkConditions, of host: SimulatedHost) {
    setConditions(up: conditions, down: conditions, of: host)
  }

  /// Changes how a host's access treats what it sends and what it is sent.
  package func setConditions(up: NetworkConditions, down: NetworkConditions, of host: SimulatedHost) {
    host.uplink.change(to: up)
    host.downlink.change(to: down)
  }

  /// Changes how the line that a household shares treats what is sent from there and what is sent to it.
  package func setConditions(up: NetworkConditions, down: NetworkConditions, of nat: SimulatedNAT) {
    nat.uplink.change(to: up)
    nat.downlink.change(to: down)
  }

  // MARK: NATs

  /// Adds a NAT with an outside address of its own; players are put behind it when they are added or when they move.
  /// - Parameter conditions: of the line that all behind it share, beside their own.
  package func addNAT(
    _ behavior: NATBehavior = NATBehavior(), conditions: NetworkConditions = .perfect
  ) -> SimulatedNAT {
    let number = natsByIP.count
    let address = NetworkAddress(
      ipv4: 198, 18 | UInt8(number >> 16 & 1), UInt8(truncatingIfNeeded: number >> 8),
      UInt8(truncatingIfNeeded: number), port: 0)
    let nat = SimulatedNAT(address: address, behavior: behavior, conditions: conditions)
    natsByIP[address.ip] = nat
    return nat
  }

  // MARK: Moving

  /// The player's NAT forgets its mapping and makes another: the same IP address with another port, which the player
  /// cannot see. What is sent to the old port goes nowhere. A simulated NAT forgets those of the whole household, and
  /// each gets its new port when it sends.
  package func rebind(_ player: SimulatedPlayer) {
    if let nat = player.host.nat { return nat.forget() }
    player.portChanges += 1
    var address = player.host.outside
    address.port = UInt16(truncatingIfNeeded: 40_000 + player.portChanges)
    place(player.host, inside: player.host.inside, outside: address, behind: nil)
  }

  /// The player goes to another network, with another IP address.
  /// - Parameters:
  ///   - isNoticed: whether its system tells it so, as Linux does.
  ///   - place: the number of the network; one where it never was by default.
  ///   - nat: the NAT there, if there is one.
  package func move(
    _ player: SimulatedPlayer, isNoticed: Bool = true, toPlace place: Int? = nil, behind nat: SimulatedNAT? = nil
  ) {
    let host = player.host
    player.place = place ?? player.place + 1
    var address = Self.address(player: player.index, place: player.place)
    address.port = host.inside.port
    let before = host.inside
    self.place(host, inside: address, outside: nat?.address ?? address, behind: nat)
    host.uplink.change(to: host.uplink.conditions)
    host.downlink.change(to: host.downlink.conditions)
    guard isNoticed else { return }
    let client = player.client
    whenRunning(host) { client.localAddressChanged(from: before, to: address, now: $0) }
  }

  /// Takes the place of where the host was before.
  func place(
    _ host: SimulatedHost, inside: NetworkAddress, outside: NetworkAddress, behind nat: SimulatedNAT?
  ) {
    if hostsByAddress[host.outside] === host { hostsByAddress[host.outside] = nil }
    if hostsByInside[host.inside] === host { hostsByInside[host.inside] = nil }
    (host.inside, host.outside, host.nat) = (inside, outside, nat)
    if nat == nil { hostsByAddress[outside] = host } else { hostsByInside[inside] = host }
    trace.note(UInt64(truncatingIfNeeded: outside.ip) ^ UInt64(outside.port) << 32)
  }

  // MARK: Cuts

  /// Cuts hosts off from all others; among themselves they are not. What is in the middle of the network counts: what
  /// is behind it already arrives. Several cuts may be in force at once.
  /// - Parameters:
  ///   - direction: which datagrams are stopped, as seen from the hosts.
  ///   - duration: for how long; until `heal` by default.
  package func partition(
    _ hosts: [SimulatedHost], _ direction: CutDirection = .both, for duration: Duration? = nil
  ) {
    cut(Set(hosts.map(\.index)), direction, for: duration)
  }

  /// Cuts everybody off from everybody.
  package func partitionAll(for duration: Duration? = nil) { cut(nil, .both, for: duration) }

  /// Ends all cuts.
  package func heal() { cuts.removeAll() }

  private func cut(_ members: Set<Int>?, _ direction: CutDirection, for duration: Duration?) {
    cutCount += 1
    let id = cutCount
    cuts.append(NetworkCut(id: id, members: members, direction: direction))
    if let duration { after(duration) { world in world.cuts.removeAll { $0.id == id } } }
  }
}
