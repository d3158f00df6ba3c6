import RoamkeyEngine
package import RoamkeyWire

/// Somebody on the way with an address of their own, who copies what passes, sends it on from there before the original
/// arrives, and may carry answers back: the attacker of PROTOCOL §5 who owns no key and sees everything.
package final class Forwarder {
  /// What it does with a datagram that passes.
  package enum Choice: Sendable {
    case ignores
    /// The copy comes first; the original is the second.
    case copies
    /// The original does not arrive.
    case takes
    /// Nothing of it arrives.
    case stops
  }

  /// Where its copies come from.
  package let address: NetworkAddress
  /// Whether what is sent to it goes on to whom it belongs: to the player as if it came from the server, to the server
  /// from the own address.
  package var carriesBack = true
  /// How long it takes for all that it does.
  package var delay = Duration.milliseconds(1)
  /// What it does with a datagram of its player's, and with one to its player.
  package var upward: (Datagram) -> Choice = { _ in .ignores }
  package var downward: (Datagram) -> Choice = { _ in .ignores }
  /// Datagrams that it sent on, got, and carried back.
  package private(set) var sentOn = 0
  package private(set) var received = 0
  package private(set) var carriedBack = 0

  private unowned let world: SimulatedWorld
  private let player: SimulatedPlayer
  /// Which process of the server something was heard of, at its own address.
  private var heard: Int?
  /// Where the server was when it was last seen.
  private var server = SimulatedWorld.serverAddress

  init(_ player: SimulatedPlayer, at address: NetworkAddress, in world: SimulatedWorld) {
    self.player = player
    self.address = address
    self.world = world
  }

  func watch(_ datagram: Datagram) -> TapVerdict {
    if datagram.isFrom(player) {
      server = datagram.destination
      return act(upward(datagram), on: datagram, to: datagram.destination)
    }
    if datagram.isServers, player.host.isSeen(at: datagram.destination) {
      return act(downward(datagram), on: datagram, to: datagram.destination)
    }
    return .pass
  }

  private func act(_ choice: Choice, on datagram: Datagram, to destination: NetworkAddress) -> TapVerdict {
    switch choice {
    case .ignores: return .pass
    case .stops: return .drop
    case .copies, .takes:
      sentOn += 1
      passOn(datagram, from: address, to: destination)
      return choice == .takes ? .drop : .pass
    }
  }

  func receive(_ datagram: Datagram) {
    received += 1
    if datagram.isServers { heard = datagram.serverProcess }
    guard carriesBack else { return }
    carriedBack += 1
    if datagram.isServers {
      passOn(datagram, from: datagram.source, to: player.host.outside)
    } else {
      passOn(datagram, from: address, to: server)
    }
  }

  private func passOn(_ datagram: Datagram, from source: NetworkAddress, to destination: NetworkAddress) {
    var copy = datagram
    copy.source = source
    copy.destination = destination
    if heard == datagram.serverProcess { copy.passedOnFrom.append(address) }
    world.forward(copy, after: delay)
  }
}

extension SimulatedWorld {
  /// Puts somebody between a player and the server; at first it only listens.
  package func addForwarder(
    to player: SimulatedPlayer, at address: NetworkAddress = NetworkAddress(ipv4: 203, 0, 113, 66, port: 6666)
  ) -> Forwarder {
    let forwarder = Forwarder(player, at: address, in: self)
    tap { forwarder.watch($0) }
    hear(address) { forwarder.receive($0) }
    return forwarder
  }
}
