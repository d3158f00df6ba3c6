import Planets
import Roamkey

/// A player's half: what the host has told, what the player wants, and what a screen shows of both.
///
///     guest.tick(client, now: .now)              // as often as the screen is drawn
///     for news in guest.takeNews() { ... }
///     draw(guest.shown, at: guest.tick(at: .now))
///     try guest.order(Order(from: [0], to: 7, share: .half))
public struct PlanetsGuest {
  /// How it stands with the host.
  public enum Connection: Hashable, Sendable {
    /// No view has come yet.
    case joining
    case online
    /// Nothing is heard of the host; what is ordered meanwhile waits.
    case offline
    case ended(EndReason)
  }

  /// What a player should be told.
  public enum News: Hashable, Sendable {
    case said(Said)
    /// An order was not followed.
    case refused(OrderError)
    case change(Change)
    /// This player's network is another one now, or the host's; nothing was lost.
    case roamed
    case hostRoamed
    case offline
    case online
    /// There is another session: the host's program has begun anew, or had given this player up.
    case reconnected
    case ended(EndReason)
  }

  /// What was received, for curious players and for tests.
  public struct Statistics: Hashable, Sendable {
    public var views = 0
    /// Messages that made no sense, views that are not sound included.
    public var senseless = 0
  }

  /// What the host has told last, as it is.
  public private(set) var view = View()
  public private(set) var connection = Connection.joining
  private var counted = Statistics()
  private let isBehindRouter: Bool
  private var subscriber = ViewSubscriber()
  private var prediction = Prediction()
  private var playhead = Playhead()
  private var news: [News] = []
  /// What is to be sent, the oldest first.
  private var commands: [Command] = []
  private var lastSent: GameTime?
  /// The frame of the newest view, sound or not.
  private var newestFrame = 0

  /// Commands that may wait for room; a person does not give so many.
  private static let mostCommands = 100
  private static let mostNews = 200
  /// Routers forget whoever is silent for 30 s.
  private static let routerInterval: Duration = .seconds(20)

  /// - Parameter isBehindRouter: whether a router with a short memory (NAT) may be on the way, so that the host could
  ///   not wake this guest in a lobby where nothing is sent: it says every 20 s that it is here.
  public init(isBehindRouter: Bool = false) { self.isBehindRouter = isBehindRouter }

  public var statistics: Statistics {
    var statistics = counted
    statistics.senseless += Int(subscriber.failures)
    return statistics
  }

  /// What a screen shows: the host's word, and ahead of it what this player has ordered.
  public var shown: View { prediction.applied(to: view) }

  /// The tick to show at a moment, also between two; see ``View/position(of:at:)``.
  public mutating func tick(at now: GameTime) -> Double { playhead.tick(at: now) }

  /// What has happened since the last time, in order.
  public mutating func takeNews() -> [News] {
    defer { news = [] }
    return news
  }

  // MARK: What the player wants

  /// Sends ships off; they show at once, and leave for good when the host has the order.
  /// - Throws: why that would do nothing.
  public mutating func order(_ order: Order) throws(OrderError) {
    if case .ended = connection { throw .notPlaying }
    guard commands.count < Self.mostCommands else { throw .tooFast }
    let number = try prediction.give(order, on: view)
    commands.append(.order(match: view.match, number: number, order: order))
  }

  /// In the lobby, or when it is over: whether the next match may begin. It does when all are ready.
  public mutating func setReady(_ isReady: Bool) { give(.ready(isReady)) }

  /// Says a line to all; it is cut at ``PlanetsWire/longestLine`` bytes.
  public mutating func say(_ text: String) {
    var line = Message(text).shownText
    while line.utf8.count > PlanetsWire.longestLine { line.removeLast() }
    if !line.isEmpty { give(.say(line)) }
  }

  /// Begins without waiting for all to be ready. Of the person that is the host; from others it is ignored.
  public mutating func start() { give(.start) }

  /// Chooses for the next match. Of the person that is the host; from others it is ignored.
  public mutating func configure(_ settings: MatchSettings) { give(.configure(settings)) }

  /// Back to the lobby when it is over. Of the person that is the host; from others it is ignored.
  public mutating func backToLobby() { give(.lobby) }

  private mutating func give(_ command: Command) {
    if commands.count < Self.mostCommands { commands.append(command) }
  }

  // MARK: Time

  /// Takes what has come, and sends what is wanted: once for each picture.
  public mutating func tick(_ client: some GameClient, now: GameTime) {
    for event in subscriber.take(from: client) { take(event, now) }
    if let (newest, time) = subscriber.newest { take(newest, sentAt: min(now, time)) }
    if isBehindRouter && isQuiet, (lastSent ?? now).duration(to: now) >= Self.routerInterval { give(.here) }
    if lastSent == nil { lastSent = now }
    while let command = commands.first {
      // What finds no room now is sent at the next picture.
      guard (try? client.send(command, as: PlanetsWire.command, priority: .high)) != nil else { break }
      commands.removeFirst()
      lastSent = now
    }
    client.flush()
  }

  private var isQuiet: Bool {
    switch view.phase {
    case .lobby, .over: connection == .online
    case .countdown, .playing: false
    }
  }

  private mutating func take(_ event: Client.Event, _ now: GameTime) {
    switch event {
    case .message(let message): take(message, now)
    case .roamed: tell(.roamed)
    case .serverRoamed: tell(.hostRoamed)
    case .offline:
      connection = .offline
      tell(.offline)
    case .online:
      connection = .online
      tell(.online)
    case .reconnected:
      // The new one knows nothing of us, and counts from the beginning; orders for the old match are of no use to it.
      let news = news
      self = PlanetsGuest(isBehindRouter: isBehindRouter)
      self.news = news
      tell(.reconnected)
    case .disconnected(let reason):
      connection = .ended(reason)
      tell(.ended(reason))
    }
  }

  private mutating func take(_ message: Message, _ now: GameTime) {
    switch message.action {
    case PlanetsWire.said:
      guard let said = try? message.decode(Said.self), said.isSound else { break }
      return tell(.said(said))
    case PlanetsWire.refused:
      guard let refusal = try? message.decode(Refusal.self) else { break }
      return tell(.refused(refusal.reason))
    case PlanetsWire.standing:
      guard let next = try? message.decode(View.self) else { break }
      return take(next, sentAt: now.advanced(by: .zero - message.age(at: now)))
    default: break
    }
    counted.senseless += 1
  }

  private mutating func take(_ next: View, sentAt: GameTime) {
    // Views come in two ways, so that one may overtake the other; and each is seen here until there is a newer one.
    guard next.frame > newestFrame else { return }
    newestFrame = next.frame
    guard next.isSound else {
      counted.senseless += 1
      return
    }
    counted.views += 1
    if connection == .joining { connection = .online }
    if next.match != view.match { prediction.forget() }
    prediction.take(next)
    for change in next.changes(since: view) { tell(.change(change)) }
    view = next
    playhead.take(
      tick: next.tick, at: sentAt, isRunning: next.phase == .countdown || next.phase == .playing)
  }

  private mutating func tell(_ one: News) {
    if news.count >= Self.mostNews { news.removeFirst() }
    news.append(one)
  }
}
