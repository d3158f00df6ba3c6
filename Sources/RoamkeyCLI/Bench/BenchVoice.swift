internal import Roamkey
internal import RoamkeyTerminal

/// What a bench server says on standard output of those who come.
enum BenchVoice: Sendable {
  case people
  case programs
  /// It belongs to a command that speaks for itself.
  case silent

  private var printer: EventPrinter { EventPrinter(isOn: self == .programs) }

  func joined(_ player: PlayerID, _ address: NetworkAddress?) {
    printer.joined(player, address: address)
  }

  func began(_ story: BenchStory, _ player: PlayerID, _ policy: SigningPolicy) {
    printer.print(
      "began",
      [
        ("player", .text(player.description)), ("story", .text(story.rawValue)), ("policy", .text(policy.benchName)),
      ])
    say("\(player.short) measures: \(story.title), \(policy.benchName)")
  }

  func left(_ player: PlayerID, _ reason: EndReason, counted: UInt64, echoed: UInt64, hasBegun: Bool) {
    printer.left(player, reason)
    if hasBegun { say("\(player.short): \(reason.words); messages counted \(counted), echoed \(echoed)") }
  }

  func listening(_ host: BenchHost) {
    for service in host.services {
      printer.listening(service.server.address, server: host.id)
      say("listening on \(service.server.address), packets are \(service.doors.here.benchName)")
    }
    say("on the other machine: roamkey bench \(host.invitation) --pin \(host.id)")
    say("whoever reaches the port may measure: end this when you are done")
  }

  private func say(_ line: String) { if self == .people { Console.print(line) } }
}
