import RoamkeyEngine
import RoamkeyWire

/// How good the network is, and where it is cut. Where hosts are is in SimulatedWorld+Moves.swift.
extension SimulatedWorld {
  // MARK: Conditions

  /// Changes how the access that a host prefers treats datagrams, both ways.
  package func setConditions(_ conditions: NetworkConditions, of host: SimulatedHost) {
    setConditions(up: conditions, down: conditions, of: host)
  }

  /// Changes how the access that a host prefers treats what it sends and what it is sent.
  package func setConditions(up: NetworkConditions, down: NetworkConditions, of host: SimulatedHost) {
    setConditions(up: up, down: down, of: host.interface)
  }

  /// Changes how one access of a host's treats what it sends and what it is sent.
  package func setConditions(up: NetworkConditions, down: NetworkConditions, of interface: SimulatedInterface) {
    interface.uplink.change(to: up)
    interface.downlink.change(to: down)
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
