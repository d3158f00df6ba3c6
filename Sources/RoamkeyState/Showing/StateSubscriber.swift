internal import RoamkeyCBOR
public import Roamkey

/// Reads what a ``StatePublisher`` tells: the newest state, and what to show between two of them.
///
///     var world = StateSubscriber<World>()
///
///     // each frame
///     for event in world.take(client.takeEvents(), from: client) { apply(event) }
///     if let frame = world.frame(at: now) { draw(frame.from, frame.to, frame.fraction) }
///
/// Each state that it gives is, to the last bit, one that was published. Only where a publisher has begun anew, and a
/// difference is read with a state of before, does this rest on a check of 16 bits.
public struct StateSubscriber<State: Decodable> {
  fileprivate struct Shown {
    let state: State
    let sentAt: GameTime
  }

  /// States that are kept to be shown, at most.
  private static var maximumShown: Int { 64 }

  private var core: SubscriberCore
  private var playout: Playout
  /// In the order of their times; only the newest one while nobody asks for what is between.
  private var history: [Shown] = []
  private var isShowing = false
  /// The newest state; nil before the first.
  public private(set) var newest: State?
  /// The number of the newest state: how many times its publisher had published. It counts anew with a new publisher.
  public private(set) var newestFrame: UInt64?
  /// When the newest state was published, on this machine's clock; nil before the first.
  public private(set) var newestTime: GameTime?
  /// Why the last message could not be read; nil where it could.
  public private(set) var lastError: StateError?

  /// - Parameters:
  ///   - action: the action of the publisher's messages, at most 63 bytes.
  ///   - channel: theirs.
  ///   - delay: how far behind the present states are shown.
  ///   - limits: beyond them a state is not read.
  public init(
    as action: String = "state", channel: UInt8 = defaultStateChannel, delay: PlayoutDelay = .automatic,
    limits: StateLimits = .init()
  ) {
    precondition(action.utf8.count <= StateRequest.maximumAction, "the action of a state has at most 63 bytes")
    core = SubscriberCore(action: action, channel: channel, limits: limits)
    playout = Playout(delay)
  }

  /// States that are kept to be shown.
  var shownCount: Int { history.count }

  /// What it has read so far.
  public var statistics: StateSubscriberStatistics { core.statistics }

  /// How far behind the present states are shown now.
  public var delay: Duration { playout.delay }

  // MARK: Messages

  /// Takes the states among a client's events, and asks the server for a whole one where it must.
  /// - Returns: all other events.
  public mutating func take(_ events: [Client.Event], from client: some GameClient) -> [Client.Event] {
    let others = events.filter { event in if case .message(let message) = event { !take(message) } else { true } }
    if let request = core.takeRequest() {
      do throws(SendError) {
        try client.send(request, options: requestOptions)
      } catch {
        core.askAgain()
      }
    }
    return others
  }

  /// Takes a state that a player's client publishes, and asks it for a whole one where it must. Each player's states
  /// need a subscriber of their own.
  /// - Returns: false for a message that is no state of this publisher's.
  @discardableResult
  public mutating func take(_ message: Message, from player: PlayerID, of server: some GameServer) -> Bool {
    let isTaken = take(message)
    if let request = core.takeRequest(), server.send(request, to: player, options: requestOptions) != nil {
      core.askAgain()
    }
    return isTaken
  }

  /// Takes a state, and asks nobody: ask for a whole one where ``takeRequest()`` says so.
  /// - Returns: false for a message that is no state of this publisher's.
  ///
  /// A state that cannot be read is taken, too: ``lastError`` tells.
  @discardableResult
  public mutating func take(_ message: Message) -> Bool {
    guard core.isState(message) else { return false }
    do throws(StateError) {
      let (frame, value) = try core.read(message)
      let state = try decode(value)
      lastError = nil
      note(state, frame, message)
    } catch {
      lastError = error
    }
    return true
  }

  /// The message that asks the publisher for a whole state, where one is needed: it is to go to it with
  /// ``requestOptions``. `take(_:from:)` sends it by itself.
  public mutating func takeRequest() -> Message? { core.takeRequest() }

  /// How a request is to be sent.
  public var requestOptions: SendOptions {
    SendOptions(delivery: .reliableOrdered, priority: .high, channel: core.channel)
  }

  private mutating func decode(_ value: Value) throws(StateError) -> State {
    if let value = value as? State { return value }
    do {
      return try value.decode(State.self)
    } catch {
      core.statistics.undecodable += 1
      throw .notDecodable("\(error)")
    }
  }

  private mutating func note(_ state: State, _ frame: UInt64, _ message: Message) {
    if let newestFrame, frame <= newestFrame { playout.beginAnew() }
    newest = state
    newestFrame = frame
    newestTime = message.sentAt
    playout.arrived(frame, sentAt: message.sentAt, age: message.ageOnArrival)
    // Clocks are corrected now and then; shown is what goes forward.
    while let last = history.last, last.sentAt >= message.sentAt { history.removeLast() }
    if !isShowing { history.removeAll(keepingCapacity: true) }
    // One that is older than the longest delay stays: what is shown may begin with it.
    let end = message.sentAt - playout.longest
    while history.count > 1, history[1].sentAt <= end { history.removeFirst() }
    if history.count == Self.maximumShown { history.removeFirst() }
    history.append(Shown(state: state, sentAt: message.sentAt))
  }

  // MARK: Showing

  /// What to show: the states before and after the moment that lies ``delay`` before `now`, by the time at which they
  /// were published. Nil before the first one; the newest one where there is no later.
  ///
  /// - Parameter now: the time as the game is told it, `.now` or that of a simulation. What is shown never goes back.
  public mutating func frame(at now: GameTime) -> StateFrame<State>? {
    isShowing = true
    guard !history.isEmpty else { return nil }
    let shown = playout.shown(at: now)
    while history.count > 1, history[1].sentAt <= shown { history.removeFirst() }
    let from = history[0]
    guard history.count > 1, shown > from.sentAt else {
      return StateFrame(from: from.state, to: from.state, fraction: 0)
    }
    let to = history[1]
    let whole = from.sentAt.duration(to: to.sentAt)
    let part = from.sentAt.duration(to: shown)
    let fraction = whole > .zero ? min(1, part.inSeconds / whole.inSeconds) : 1
    return StateFrame(from: from.state, to: to.state, fraction: fraction)
  }
}

extension StateSubscriber: Sendable where State: Sendable {}
extension StateSubscriber.Shown: Sendable where State: Sendable {}

extension StateSubscriber where State: Interpolatable {
  /// What lies between the states before and after the moment that is shown; see ``frame(at:)``.
  public mutating func blended(at now: GameTime) -> State? { frame(at: now)?.blended }
}
