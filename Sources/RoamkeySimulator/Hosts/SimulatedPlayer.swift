package import RoamkeyCrypto
package import RoamkeyEngine
import RoamkeyWire

/// A player of a world.
package final class SimulatedPlayer {
  /// Its number among the players, from 0.
  package let index: Int
  /// The machine that it plays on.
  package let host: SimulatedHost
  /// The endpoint of the process that runs now, or was started last.
  package internal(set) var client: ClientEndpoint
  /// What a new process begins with.
  let origin: Origin
  /// Where it was told to connect to.
  var candidates: [NetworkAddress] = []

  /// Who a player is, and how its processes are set up.
  struct Origin {
    let identity: UInt64
    let settings: ClientSettings
    let configuration: RoamkeyConfiguration

    func endpoint(_ entropy: Entropy) -> ClientEndpoint {
      var identity = Entropy.seeded(identity)
      return ClientEndpoint(
        key: PlayerKey(seed: identity.secret()), settings: settings, configuration: configuration, entropy: entropy)
    }
  }

  init(index: Int, host: SimulatedHost, client: ClientEndpoint, origin: Origin) {
    self.index = index
    self.host = host
    self.client = client
    self.origin = origin
  }

  package var id: PlayerID { client.id }

  /// The newest session of its process; the first one has this number before it begins.
  package var session: SessionHandle {
    for case .joined(let session, _, _) in host.events.reversed() { return session }
    return SessionHandle(rawValue: 1)
  }

  /// The bodies of the messages that it got in the newest session of its process.
  package var inbox: [[UInt8]] { host.inbox[session] ?? [] }
}
