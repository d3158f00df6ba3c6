internal import RoamkeyCrypto
public import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

extension Server {
  /// What it has been asked on the local network, and has answered; nil where it does not answer.
  public var discoveryStatistics: DiscoveryStatistics? { announcer?.statistics }

  /// A second copy of the key, where beacons are to be signed.
  static func signer(
    _ key: borrowing PlayerKey, _ discovery: Discovery, _ configuration: RoamkeyConfiguration
  ) -> PlayerKey? {
    switch discovery {
    // A server that hides from those who do not know its key does not show itself to all neighbours.
    case .localNetwork where !configuration.isQuiet: key.withSeed { PlayerKey(seed: SecretBytes(copying: $0)) }
    case .localNetwork, .off: nil
    }
  }

  /// Begins to answer. That it cannot is no reason for a server not to start.
  static func announce(
    _ announcement: ServerAnnouncement, _ signer: consuming PlayerKey?, _ link: ServerLink, capacity: Int,
    _ loop: LoopMode
  ) -> (BeaconAnnouncer?, RoamkeyError?) {
    guard let signer else { return (nil, nil) }
    // Loopback has no IPv6 groups: nobody can ask there.
    guard !announcement.address.isLoopback || announcement.address.isIPv4 else { return (nil, nil) }
    // Browsers would refuse it (PROTOCOL §15.2).
    guard DisplayText.isClean(announcement.application) else {
      let words = "an application's name with control characters or marks of writing direction is not shown to others"
      return (nil, RoamkeyError(.badApplication, words))
    }
    let responder = BeaconResponder(key: signer, announcement, instance: SystemRandom.number())
    do throws(UDPError) {
      let announcer = try BeaconAnnouncer(responder, at: announcement.address, isPolled: loop == .polled) {
        ServerPopulation(players: link.playerCount, capacity: capacity)
      }
      return (announcer, nil)
    } catch {
      return (nil, RoamkeyError(error))
    }
  }
}
