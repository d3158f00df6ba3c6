/// A router that lends its address to those behind it, and forgets them after a while: a NAT.
public final class SimulatedRouter {
  let nat: SimulatedNAT

  init(_ nat: SimulatedNAT) { self.nat = nat }

  /// What it has done.
  public var statistics: NATStatistics { nat.statistics }

  /// Forgets the ways in to all behind it, as a router that is switched off and on. Each gets another port when it next
  /// sends.
  public func restart() { nat.forget() }
}
