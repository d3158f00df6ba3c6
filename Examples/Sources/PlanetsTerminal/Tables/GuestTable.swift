import Planets
import PlanetsNet
import Roamkey
import RoamkeyTerminal

/// A match of a host's: `PlanetsGuest` over a session.
public struct GuestTable<Session: GameClient>: Table {
  public let isHost: Bool
  public var status: String? { said ?? (isWatching ? "You watch this match; in the next one you have a seat." : nil) }

  private let session: Session
  private var guest: PlanetsGuest
  /// The moment at which the screen's time is 0.
  private let origin: GameTime
  /// What the host has chosen; only the one that is the host uses it.
  private var settings: MatchSettings
  private var random: SeededGenerator
  /// What is special about the connection.
  private var said: String?
  /// Until when it stands, in the screen's time; nil for as long as it is true.
  private var saidEnd: Double?

  /// The newest view, when it came, and whether it was said that none comes any more.
  private var newest = (frame: 0, time: 0.0, isMissed: false)

  /// How long it is said that somebody has moved, in seconds.
  private static var moveTime: Double { 6 }
  /// In a match views come ten times a second. Where none has come for so long it is said, in seconds: the session
  /// itself gives nobody up so soon.
  private static var patience: Double { 1.5 }

  /// - Parameters:
  ///   - origin: the moment at which the screen's time is 0.
  ///   - settings: of the first match, where this player hosts; nil for a guest.
  public init(_ session: Session, origin: GameTime, settings: MatchSettings? = nil, seed: UInt64) {
    (self.session, self.origin) = (session, origin)
    isHost = settings != nil
    self.settings = settings ?? MatchSettings()
    // The host's own way leads over loopback, where no router is.
    guest = PlanetsGuest(isBehindRouter: settings == nil)
    random = SeededGenerator(seed: seed)
  }

  public var canPause: Bool { false }

  public mutating func pause(at time: Double) {}

  public var view: View { guest.shown }

  public mutating func tick(at time: Double) -> Double { guest.tick(at: moment(time)) }

  private func moment(_ time: Double) -> GameTime { origin.advanced(by: .seconds(time)) }

  public mutating func step(at time: Double) -> [TableNews] {
    guest.tick(session, now: moment(time))
    let news = guest.takeNews().compactMap { tell($0, time) }
    if let end = saidEnd, end <= time { (said, saidEnd) = (nil, nil) }
    lookForViews(time)
    if guest.connection == .joining { said = Self.joining } else if said == Self.joining { said = nil }
    return news
  }

  private mutating func lookForViews(_ time: Double) {
    let view = guest.view
    if view.frame != newest.frame {
      if newest.isMissed { say(Self.heard, until: time + Self.moveTime) }
      newest = (view.frame, time, false)
    }
    guard view.phase == .playing, !newest.isMissed, time - newest.time > Self.patience else { return }
    newest.isMissed = true
    say(Self.looking, until: nil)
  }

  private var isWatching: Bool {
    let view = guest.view
    return view.you == nil && (view.phase == .playing || view.phase == .countdown)
  }

  private static var joining: String { "joining ..." }
  private static var looking: String { "Looking for the host ... what you order is kept." }
  private static var heard: String { "The host is heard again; nothing was lost." }

  private mutating func tell(_ news: PlanetsGuest.News, _ time: Double) -> TableNews? {
    switch news {
    case .said(let said): return .said(seat: said.seat, name: said.name, text: said.text)
    case .refused(let reason): return .note("Not sent: \(reason.description).")
    // The screen compares views by itself.
    case .change: return nil
    case .roamed: say("You moved to another network; nothing was lost.", until: time + Self.moveTime)
    case .hostRoamed: say("The host moved to another network; nothing was lost.", until: time + Self.moveTime)
    case .offline: say(Self.looking, until: nil)
    case .online: say(Self.heard, until: time + Self.moveTime)
    case .reconnected: say("The host has begun anew; you are in again.", until: time + Self.moveTime)
    case .ended(let reason): return .ended(reason.planetsWords)
    }
    return nil
  }

  private mutating func say(_ text: String, until end: Double?) { (said, saidEnd) = (text, end) }

  // MARK: Out

  public mutating func order(_ order: Order) throws(OrderError) { try guest.order(order) }

  public mutating func say(_ text: String) { guest.say(text) }

  public mutating func ask(_ request: TableRequest) {
    switch request {
    case .ready(let isReady): guest.setReady(isReady)
    case .start: guest.start()
    case .bots(let count, let level):
      (settings.bots, settings.level) = (count, level)
      guest.configure(settings)
    case .anotherMap:
      settings.seed = random.next()
      guest.configure(settings)
    case .again:
      // With the same map nobody would scout.
      if isHost {
        settings.seed = random.next()
        guest.configure(settings)
        guest.start()
      } else {
        guest.setReady(true)
      }
    }
  }
}

extension EndReason {
  /// What a player reads when it is over.
  var planetsWords: String {
    switch self {
    case .closed: "The session was closed."
    case .kicked(let words): words.isEmpty ? "The host put you out." : "The host put you out: \(Console.plain(words))"
    case .replaced: "You play from somewhere else now, with the same key."
    case .shutdown: "The host has left."
    case .tooSlow: "This machine did not keep up with the host."
    case .timedOut: "The host was not heard any more."
    case .violation: "Host and player do not understand each other: use the same version."
    case .notReadmitted: "The host has begun anew, and did not let you in."
    }
  }
}
