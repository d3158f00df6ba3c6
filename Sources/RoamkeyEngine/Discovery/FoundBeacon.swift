package import RoamkeyCrypto
package import RoamkeyWire

/// A server that answers on the local network, as its last beacon says.
package struct FoundBeacon: Hashable, Sendable {
  package var server: PlayerID
  package var name: String?
  package var application: String
  /// Where the answers come from, with the port of the game.
  package var address: NetworkAddress
  package var players: Int
  package var capacity: Int
  /// From a question to its answer, smoothed.
  package var roundTrip: Duration
}

/// One way to a server of the local network.
struct FoundWay: Sendable {
  var address: NetworkAddress
  var roundTrip: Duration
  var heard: Instant
  /// Of the last beacon that came by it.
  var sequence: UInt64

  /// RFC 6298's weights, without its variation.
  mutating func measure(_ sample: Duration, sequence: UInt64, at now: Instant) {
    self.sequence = sequence
    roundTrip = (roundTrip * 7 + sample) / 8
    heard = now
  }
}

/// All that a seeker knows of a server.
struct FoundEntry: Sendable {
  /// Addresses of one server: IPv4 and IPv6 on a link or two.
  static let mostWays = 4
  /// A way that has missed two questions is not taken any more.
  private static let waySilence: Duration = .milliseconds(2500)

  var beacon: BeaconDatagram
  /// The newest question that it has answered.
  var question: UInt64
  var heard: Instant
  var ways: [FoundWay] = []
  /// Where the list says that it is.
  var address: NetworkAddress
  /// What the list says, until it is off by a quarter, so that the list is not new each second.
  var toldRoundTrip: Duration

  init(
    _ beacon: BeaconDatagram, question: UInt64, from address: NetworkAddress, after roundTrip: Duration, at now: Instant
  ) {
    self.beacon = beacon
    self.question = question
    self.address = address
    heard = now
    toldRoundTrip = roundTrip
    ways = [FoundWay(address: address, roundTrip: roundTrip, heard: now, sequence: beacon.sequence)]
  }

  /// Takes a newer word, or one by another way.
  mutating func hear(
    _ beacon: BeaconDatagram, question: UInt64, from address: NetworkAddress, after sample: Duration, at now: Instant
  ) {
    if beacon.instance != self.beacon.instance {
      // Ways to an instance that is gone lead to a port that may be somebody else's.
      ways = []
      self.beacon = beacon
    } else if beacon.sequence > self.beacon.sequence {
      self.beacon = beacon
    }
    self.question = max(self.question, question)
    heard = now
    if let known = ways.firstIndex(where: { $0.address == address }) {
      ways[known].measure(sample, sequence: beacon.sequence, at: now)
    } else {
      if ways.count >= Self.mostWays, let oldest = ways.indices.min(by: { ways[$0].heard < ways[$1].heard }) {
        ways.remove(at: oldest)
      }
      ways.append(FoundWay(address: address, roundTrip: sample, heard: now, sequence: beacon.sequence))
    }
    choose(at: now)
  }

  /// The nearest way is the server's address; but the one that was told stays while it answers and no other is much
  /// nearer, so that a list does not flicker.
  private mutating func choose(at now: Instant) {
    let alive = ways.filter { now - $0.heard < Self.waySilence }
    guard let best = alive.min(by: { $0.cost < $1.cost }) else { return }
    guard let current = alive.first(where: { $0.address == address }) else {
      address = best.address
      toldRoundTrip = best.roundTrip
      return
    }
    let isFamilyBetter = current.address.isLinkLocal && !best.address.isLinkLocal
    let chosen = best.cost < current.cost / 2 || isFamilyBetter ? best : current
    let difference = chosen.roundTrip - toldRoundTrip
    let isOff = max(difference, .zero - difference) > max(toldRoundTrip / 4, .milliseconds(1))
    if chosen.address != address || isOff { toldRoundTrip = chosen.roundTrip }
    address = chosen.address
  }

  func found(_ server: PlayerID) -> FoundBeacon {
    FoundBeacon(
      server: server, name: beacon.name, application: beacon.application, address: address,
      players: Int(beacon.players), capacity: Int(beacon.capacity), roundTrip: toldRoundTrip)
  }
}

extension FoundWay {
  /// How far it is, for a choice. An address that means something on one link only is the last resort: who leaves the
  /// link cannot go on with it.
  var cost: Duration { roundTrip + (address.isLinkLocal ? .milliseconds(5) : .zero) + .milliseconds(1) }
}
