import Planets
import Roamkey

/// The host's half: lobby, match, end, and again. It believes nobody.
///
///     var host = PlanetsHost(seed: .random(in: 0...UInt64.max))
///     host.tick(server, now: .now)   // 20 times a second or more
///
/// A server has one host for as long as it runs. Seats hang on keys: who leaves in mid-match is played by a bot until
/// the same key is back; who only falls silent keeps the seat; who comes late watches.
public struct PlanetsHost {
  /// Somebody who is connected.
  struct Person: Hashable, Sendable {
    var name: String
    var isReady = false
    var isOffline = false
    /// The number of the last order that was followed or refused, in this session.
    var handledOrder = 0
    var conduct: Conduct
    var isKicked = false
    /// Whether the session has been laid to rest since the last message.
    var isResting = false
    /// Whether there is a view that must arrive and has found no room yet.
    var isWaiting = false
  }

  /// What was ignored, for curious hosts and for tests.
  public struct Statistics: Hashable, Sendable {
    /// Messages that made no sense.
    public var senseless = 0
    /// Commands that came too fast.
    public var tooFast = 0
    /// Players who were put out for either.
    public var kicked = 0
  }

  /// What the next match will be like.
  public private(set) var settings: MatchSettings
  public private(set) var statistics = Statistics()
  /// The frame of the newest view.
  public private(set) var frame = 0
  /// Who may start matches and choose: this player while it is here, else who has been here longest.
  private let owner: PlayerID?
  var people: [PlayerID: Person] = [:]
  /// Those of `people` in the order in which they came.
  var present: [PlayerID] = []
  /// The match that goes on or was played last; nil in the lobby.
  var match: Match?
  private var matches = 0
  private var generator: SeededGenerator
  private(set) var nextSeed: UInt64
  private var publisher = ViewPublisher()
  /// When the game moves on.
  private var nextTick: GameTime?
  /// For how many ticks nobody has been here.
  private var abandoned = 0
  /// When anybody did anything last; rest comes some time after.
  private var lastDeed: GameTime?
  /// Whether there is news that goes to all for sure.
  var hasNews = false

  /// How long a lobby waits for somebody to do something before it rests.
  static let pauseBeforeRest: Duration = .seconds(2)
  /// After so many ticks without anybody a match is given up: two minutes, in which all may come back.
  static let mostAbandoned = 120 * Rules.ticksASecond
  /// Ticks between two views.
  static let publishInterval = 2
  /// Ticks that are made up for at once, when the host's machine was busy; what is more is time that nobody had.
  static let mostTicksAtOnce = 10
  /// A tick of the game: a twentieth of a second.
  static let tickLength = Duration.milliseconds(1000 / Rules.ticksASecond)

  /// - Parameters:
  ///   - seed: what all chances of maps and bots follow from.
  ///   - settings: of the first match, until the host's person chooses others.
  ///   - owner: the person that is the host; else whoever has been here longest.
  public init(seed: UInt64, settings: MatchSettings = MatchSettings(), owner: PlayerID? = nil) {
    var generator = SeededGenerator(seed: seed)
    nextSeed = settings.seed ?? generator.next()
    self.generator = generator
    self.settings = settings
    self.owner = owner
  }

  /// The person that starts matches and chooses; nil where nobody is here.
  public var hostingPlayer: PlayerID? { owner.flatMap { people[$0] == nil ? nil : $0 } ?? present.first }

  /// How far the match is; `lobby` where there is none.
  public var phase: View.Phase { match?.game.phase ?? .lobby }

  // MARK: Time

  /// Does all that is due: 20 times a second, or more often.
  public mutating func tick(_ server: some GameServer, now: GameTime) {
    for event in publisher.take(from: server) { take(event, server, now) }
    beginIfAllAreReady()
    var isDue = false
    var next = nextTick ?? now
    if next.duration(to: now) > Self.tickLength * Self.mostTicksAtOnce { next = now }
    while isRunning, next <= now {
      next = next.advanced(by: Self.tickLength)
      step()
      isDue = isDue || match?.game.tick.isMultiple(of: Self.publishInterval) == true
    }
    nextTick = isRunning ? next : nil
    if isRunning && isDue { publish(server) }
    tellNews(server, now)
    rest(server, now)
    server.flush()
  }

  private var isRunning: Bool { match.map { !$0.game.isOver } ?? false }

  private mutating func step() {
    let (people, level) = (people, settings.level)
    match?.step { chair in
      switch chair.player {
      case .bot(let level): level
      case .person(let id): people[id] == nil ? level : nil
      }
    }
    abandoned = present.isEmpty ? abandoned + 1 : 0
    if abandoned > Self.mostAbandoned { match = nil }
    if isRunning { return }
    for player in present { self.people[player]?.isReady = false }
    hasNews = true
    if present.isEmpty { match = nil }
  }

  private mutating func publish(_ server: some GameServer) {
    frame += 1
    let views = views()
    publisher.publish(to: server) { views.view(of: $0) }
    for player in present {
      people[player]?.isResting = false
      // Newer ones follow what found no room.
      people[player]?.isWaiting = false
    }
  }

  /// In the lobby, and at the end: what has changed must arrive, since nothing follows it.
  private mutating func tellNews(_ server: some GameServer, _ now: GameTime) {
    if hasNews {
      hasNews = false
      lastDeed = now
      if isRunning { return }
      frame += 1
      for player in present { people[player]?.isWaiting = true }
    }
    guard !isRunning, people.values.contains(where: \.isWaiting) else { return }
    let views = views()
    for player in present where people[player]?.isWaiting == true {
      // One who does not read finds no room, and is asked again.
      let error = server.send(views.view(of: player), as: PlanetsWire.standing, to: player)
      people[player]?.isResting = false
      people[player]?.isWaiting = error != nil
    }
  }

  /// Where nothing happens, nothing is sent: not even what keeps a session alive.
  private mutating func rest(_ server: some GameServer, _ now: GameTime) {
    guard !isRunning, let lastDeed, lastDeed.duration(to: now) >= Self.pauseBeforeRest else { return }
    for player in present where people[player]?.isResting == false {
      // One of whom nothing is heard would not be missed for hours, if its session rested.
      guard people[player]?.isOffline == false, server.queuedBytes(of: player) == 0 else { continue }
      people[player]?.isResting = true
      server.rest(player)
    }
  }

  // MARK: Events

  private mutating func take(_ event: Server.Event, _ server: some GameServer, _ now: GameTime) {
    switch event {
    case .joined(let player):
      if people[player] == nil { present.append(player) }
      people[player] = Person(name: server.name(of: player), conduct: Conduct(now: now))
      hasNews = true
    case .left(let player, _):
      people[player] = nil
      present.removeAll { $0 == player }
      if present.isEmpty && !isRunning { match = nil }
      hasNews = true
    case .offline(let player): setOffline(true, player)
    case .online(let player): setOffline(false, player)
    case .roamed: break
    case .message(let message, let player):
      guard people[player]?.isKicked == false else { return }
      people[player]?.isResting = false
      lastDeed = now
      take(message, from: player, server, now)
    }
  }

  private mutating func setOffline(_ isOffline: Bool, _ player: PlayerID) {
    guard people[player] != nil else { return }
    people[player]?.isOffline = isOffline
    hasNews = true
  }

  /// Counts what made no sense, and puts out whoever goes on with it.
  mutating func strike(_ player: PlayerID, _ server: some GameServer, _ now: GameTime, isTooFast: Bool = false) {
    if isTooFast { statistics.tooFast += 1 } else { statistics.senseless += 1 }
    guard people[player]?.conduct.strike(at: now) == true else { return }
    people[player]?.isKicked = true
    statistics.kicked += 1
    server.kick(player, reason: isTooFast ? "too many commands at once" : "messages that make no sense")
  }

  // MARK: Matches

  /// Takes other settings for the next match.
  public mutating func configure(_ settings: MatchSettings) {
    guard settings.isSound, settings != self.settings else { return }
    if settings.seed != self.settings.seed { nextSeed = settings.seed ?? generator.next() }
    self.settings = settings
    hasNews = true
  }

  private mutating func beginIfAllAreReady() {
    guard !isRunning, !present.isEmpty else { return }
    if present.allSatisfy({ people[$0]?.isReady == true }) { begin() }
  }

  /// Begins a match with those who are here.
  mutating func begin() {
    guard !isRunning, !present.isEmpty else { return }
    matches += 1
    match = Match(number: matches, seed: nextSeed, rules: settings.rules, players: nextPlayers)
    nextSeed = settings.seed ?? generator.next()
    for player in present { people[player]?.isReady = false }
  }

  /// Back to the lobby from a match that is over.
  mutating func backToLobby() {
    guard !isRunning, match != nil else { return }
    match = nil
    for player in present { people[player]?.isReady = false }
    hasNews = true
  }
}
