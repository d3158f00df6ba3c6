import RoamkeyEngine
import RoamkeyWire

/// Somebody before the server's door who copies what a client's packets are, and can send them again from anywhere:
/// what a replay is tested with.
public final class Wiretap {
  private unowned let world: SimulatedWorld
  private let player: SimulatedPlayer
  /// Whether it copies what passes.
  public var isRecording = true
  /// The packets that reached the server while it was recording, as they were on the wire. The handshake is left out.
  public private(set) var packets: [[UInt8]] = []

  init(_ player: SimulatedPlayer, in world: SimulatedWorld) {
    self.player = player
    self.world = world
  }

  func note(_ datagram: Datagram) {
    // The first byte of a packet has no high bit (PROTOCOL §3).
    guard isRecording, datagram.isFrom(player), let first = datagram.bytes.first, first < 0x80 else { return }
    packets.append(datagram.bytes)
  }

  /// Sends the server all that was copied once more, from an address that nobody has.
  public func replay() {
    let address = NetworkAddress(ipv4: 203, 0, 113, 66, port: 6666)
    for packet in packets { world.inject(packet, from: address, to: world.serverHost.outside) }
  }
}

extension Simulation {
  /// Lets somebody copy a client's packets where they reach the server.
  public func addWiretap(to client: SimulatedClient) -> Wiretap {
    let tap = Wiretap(client.player, in: world)
    world.arrivals.append { tap.note($0) }
    return tap
  }
}
