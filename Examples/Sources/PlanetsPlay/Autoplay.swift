import Glibc
import Planets
import PlanetsNet
import PlanetsTerminal
import Roamkey
import RoamkeyTerminal

/// A seat that a bot plays, over the network and without a screen, for one match: for tests, and to fill a room. What
/// happens is told on standard output, one JSON object a line.
struct Autoplay {
  let options: Options

  private static let frame = Duration.milliseconds(40)
  /// How long a host stays when it is over, so that all are told.
  private static let farewell = Duration.seconds(3)

  func host() async throws(Failure) {
    let joining = try Joining(options)
    let hosting = try await Hosting(options, owner: try joining.key.load().id)
    let server = hosting.server
    Self.tell("listening", ["server": server.id.description, "port": "\(server.address.port)"])
    let client = try await joining.connect(to: server)
    await play(client, settings: MatchSettings(options.setup))
    // Who has seen the end leaves; nobody is waited for long.
    let clock = SuspendingClock()
    let end = clock.now + Self.farewell
    while clock.now < end, server.players.count > 1 { try? await clock.sleep(for: Self.frame) }
    await client.close()
    await hosting.stop()
  }

  func join(_ text: String?) async throws(Failure) {
    let joining = try Joining(options)
    let goal: Joining.Goal
    if let text {
      goal = .text(text)
    } else if let pin = options.pin {
      goal = .pin(pin)
    } else {
      throw Failure(.usage, code: "usage", "say which host to join: its address, its name, or its key with --server")
    }
    let (client, notes) = try await joining.connect(to: goal)
    for note in notes { Console.note(note) }
    await play(client, settings: nil)
    await client.close()
  }

  /// To the end of the first match, or of the session.
  private func play(_ client: Client, settings: MatchSettings?) async {
    Self.tell("connected", ["server": client.serverID.description, "player": client.id.description])
    let signals = Signals([SIGINT, SIGTERM])
    let clock = SuspendingClock()
    var guest = PlanetsGuest(isBehindRouter: settings == nil)
    var generator = SeededGenerator(seed: options.setup.seed)
    var (isReady, thought, ordered) = (false, -1, 0)
    var gap = Gap()
    while signals.take().isEmpty {
      try? await clock.sleep(for: Self.frame)
      guest.tick(client, now: clock.now)
      for news in guest.takeNews() { if Self.tell(news, guest) { return } }
      let view = guest.shown
      gap.follow(guest.view, at: clock.now)
      switch view.phase {
      case .lobby:
        let people = view.seats.count { !$0.isBot }
        if !isReady && view.you != nil && people >= options.players {
          isReady = true
          guest.setReady(true)
        }
      case .countdown: break
      case .playing:
        guard view.tick != thought else { continue }
        thought = view.tick
        for order in Bot.orders(options.setup.level, view, using: &generator) {
          if (try? guest.order(order)) != nil { ordered += 1 }
        }
      case .over(let winner):
        let name = winner.map { view.seats.indices.contains($0) ? view.seats[$0].name : "" } ?? ""
        let ships = view.seats.map { "\($0.ships)" }.joined(separator: " ")
        Self.tell(
          "over",
          [
            "winner": name, "tick": "\(view.tick)", "ships": ships, "orders": "\(ordered)",
            "gap": "\(gap.longest)", "views": "\(guest.statistics.views)", "senseless": "\(guest.statistics.senseless)",
          ])
        return
      }
    }
  }

  /// The longest time without news of a match, in seconds.
  private struct Gap {
    private(set) var longest = 0.0
    private var last: (frame: Int, time: SuspendingClock.Instant)?

    mutating func follow(_ view: View, at now: SuspendingClock.Instant) {
      guard case .playing = view.phase else { return }
      if let last {
        guard last.frame != view.frame else { return }
        longest = max(longest, last.time.duration(to: now) / .seconds(1))
      }
      last = (view.frame, now)
    }
  }

  /// - Returns: whether the session has ended.
  private static func tell(_ news: PlanetsGuest.News, _ guest: PlanetsGuest) -> Bool {
    switch news {
    case .said(let said): tell("said", ["text": said.text])
    case .refused(let reason): tell("refused", ["reason": reason.rawValue])
    case .change(.began): tell("began", ["seats": guest.view.seats.map(\.name).joined(separator: ", ")])
    case .change: break
    case .roamed: tell("roamed", ["tick": "\(guest.view.tick)"])
    case .hostRoamed: tell("hostRoamed", ["tick": "\(guest.view.tick)"])
    case .offline: tell("offline", [:])
    case .online: tell("online", [:])
    case .reconnected: tell("reconnected", [:])
    case .ended(let reason):
      tell("ended", ["reason": "\(reason)"])
      return true
    }
    return false
  }

  /// A line of standard output.
  private static func tell(_ event: String, _ fields: KeyValuePairs<String, String>) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let milliseconds = Int(now.tv_sec) * 1000 + Int(now.tv_nsec) / 1_000_000
    let time = "\(milliseconds / 1000)." + String(String(1000 + milliseconds % 1000).dropFirst())
    let rest = fields.map { ",\"\($0.key)\":\"\(escaped($0.value))\"" }.joined()
    print("{\"event\":\"\(event)\",\"time\":\(time)\(rest)}")
    fflush(nil)
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": out += "\\\(scalar)"
      // What moves a terminal's cursor, or turns the direction of what follows (PROTOCOL §7).
      case "\0"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}", "\u{61c}", "\u{200e}", "\u{200f}",
        "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}":
        out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
