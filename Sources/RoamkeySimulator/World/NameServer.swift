import RoamkeyEngine
package import RoamkeyWire

/// What apps ask when their engine says that the server should be looked for.
package struct NameServer {
  /// What it says of the server's name at the time.
  package var answer: (SimulatedWorld) -> [NetworkAddress]
  /// How long an answer takes.
  package var delay: Duration
  /// How often it was asked.
  package internal(set) var questions = 0

  package init(delay: Duration = .milliseconds(30), answer: @escaping (SimulatedWorld) -> [NetworkAddress]) {
    self.delay = delay
    self.answer = answer
  }
}

extension SimulatedWorld {
  /// A process looks the server's name up. Without a network there is no answer.
  func lookUp(for host: SimulatedHost) {
    guard let nameServer, let client = host.endpoint as? ClientEndpoint else { return }
    self.nameServer?.questions += 1
    let process = host.process
    after(nameServer.delay) { [weak process] world in
      guard let process, host.process === process, let answer = world.nameServer?.answer else { return }
      guard host.hasNetwork, !world.cuts.contains(where: { $0.stops(from: host.index, to: nil) }) else { return }
      let addresses = answer(world)
      world.whenRunning(host) { client.learn(addresses, now: $0) }
    }
  }
}
