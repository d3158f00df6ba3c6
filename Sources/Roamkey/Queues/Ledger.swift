internal import DequeModule
internal import RoamkeyEngine
internal import RoamkeyWire

/// What passes from the app's threads to the loop, and how full each session's queue is.
///
/// `send` answers at once, on any thread, without asking the loop: the count of queued bytes kept here is never below
/// the engine's, since bytes are added when a message is taken from the app, and subtracted only when the engine has
/// said, at the end of a turn, how many it still holds. So what is accepted here the engine accepts as well.
struct Ledger: Sendable {
  struct Outgoing: Sendable {
    var handle: SessionHandle
    var content: [UInt8]
    /// Action and body together.
    var size: Int
    var options: MessageOptions
  }

  /// What the loop is to do.
  struct Work: Sendable {
    var messages = Deque<Outgoing>()
    private(set) var credits: [Credit.Account: Int] = [:]
    /// The accounts in the order in which they first got something back. A dictionary's own order differs from run to
    /// run, and what the engine is told first it sends first: a seeded run could not be repeated.
    private var accounts: [Credit.Account] = []
    /// Whose player rests from here on, or rests no more: after the messages.
    var rests: [SessionHandle: Bool] = [:]

    /// The rests by session, in the order of sessions.
    var restsInOrder: [(key: SessionHandle, value: Bool)] {
      // Hardly ever any.
      rests.isEmpty ? [] : rests.sorted { $0.key.rawValue < $1.key.rawValue }
    }

    mutating func add(_ credit: Credit) {
      if let place = credits.index(forKey: credit.account) {
        credits.values[place] += credit.bytes
      } else {
        credits[credit.account] = credit.bytes
        accounts.append(credit.account)
      }
    }

    /// Forgets the credit of a session that has ended.
    mutating func forget(_ handle: SessionHandle) {
      guard accounts.contains(where: { $0.handle == handle }) else { return }
      accounts.removeAll { $0.handle == handle }
      for account in credits.keys where account.handle == handle { credits[account] = nil }
    }

    func forEachCredit(_ body: (Credit.Account, Int) -> Void) {
      for account in accounts { if let credit = credits[account] { body(account, credit) } }
    }

    /// Empties it; the room stays.
    mutating func removeAll() {
      messages.removeAll(keepingCapacity: true)
      credits.removeAll(keepingCapacity: true)
      accounts.removeAll(keepingCapacity: true)
      rests.removeAll(keepingCapacity: true)
    }
  }

  private struct Queue: Sendable {
    /// Bytes that wait here for the loop.
    var waiting = 0
    /// Bytes that the engine held when it was last asked, and those given to it since.
    var inEngine = 0
    /// The longest message, in bytes of action and body together.
    var longest: Int
    /// Its session is lost, and the next one is not there yet.
    var isSuspended = false

    var bytes: Int { waiting + inEngine }
  }

  /// What a message of `size` bytes of content counts.
  private static func cost(_ size: Int) -> Int { size + MessageContent.creditOverhead }

  private let queueLimit: Int
  private let flushPolicy: FlushPolicy
  /// Withheld credit that is worth waking the loop for, in bytes: a part of the whole so small that no sender is held
  /// up by it.
  private let creditStep: Int
  private var queues: [SessionHandle: Queue] = [:]
  /// Those of which the engine holds bytes: the only ones to ask about at the end of a turn.
  private var busy: Set<SessionHandle> = []
  private var work = Work()
  /// Those for which messages wait here for the loop, and maybe others.
  private var waiting: [SessionHandle] = []
  private var withheld = 0
  /// The loop has been called and has not come yet.
  private var isCalled = false

  init(_ configuration: RoamkeyConfiguration) {
    queueLimit = configuration.sendQueueLimit
    flushPolicy = configuration.flushPolicy
    creditStep = max(1, configuration.receiveCredit / 8)
  }

  // MARK: From any thread

  /// Begins to keep count for a session. What is sent to one that was not opened throws `notConnected`.
  /// - Parameter longest: what the other side takes as one message.
  mutating func open(_ handle: SessionHandle, longest: Int) { queues[handle] = Queue(longest: longest) }

  /// Forgets a session, and what waited for it.
  mutating func close(_ handle: SessionHandle) {
    queues[handle] = nil
    busy.remove(handle)
    work.forget(handle)
    work.rests[handle] = nil
  }

  // MARK: One session in the place of another

  /// A session is lost, and another one is to take its place. What is sent from now on waits for that; credit of the
  /// lost one means nothing any more.
  /// - Returns: what was sent and the loop has not taken.
  mutating func suspend(_ handle: SessionHandle) -> [Outgoing] {
    let messages = takeWaiting(for: handle)
    queues[handle] = queues[handle].map { Queue(longest: $0.longest, isSuspended: true) }
    busy.remove(handle)
    work.forget(handle)
    work.rests[handle] = nil
    return messages
  }

  /// The session is there that takes the place of a suspended one: what waits is for it.
  /// - Parameter longest: what the other side takes as one message now.
  /// - Returns: what is too long for it.
  mutating func resume(_ old: SessionHandle, as new: SessionHandle, longest: Int) -> [Outgoing] {
    let messages = takeWaiting(for: old)
    queues[old] = nil
    var queue = Queue(longest: longest)
    for var message in messages where message.size <= longest {
      message.handle = new
      work.messages.append(message)
      queue.waiting += Self.cost(message.content.count)
    }
    queues[new] = queue
    waiting.append(new)
    return messages.filter { $0.size > longest }
  }

  /// While there is no session the news of `latest` gets stale, and `unreliable` goes nowhere: neither is to fill the
  /// queue. What a receipt is awaited for is kept.
  /// - Returns: whether the message is to wait.
  private mutating func makeRoom(for message: EncodedMessage, to handle: SessionHandle) -> Bool {
    switch message.options.delivery {
    case .reliableOrdered, .reliableUnordered: return true
    case .unreliable: return message.options.receipt != nil
    case .latest:
      let stale = work.messages.firstIndex {
        $0.handle == handle && $0.options.stream == message.options.stream && $0.options.receipt == nil
      }
      guard let stale else { return true }
      queues[handle]?.waiting -= Self.cost(work.messages[stale].content.count)
      work.messages.remove(at: stale)
      return true
    }
  }

  /// Takes back what was sent and the loop has not taken.
  mutating func takeWaiting(for handle: SessionHandle) -> [Outgoing] {
    let messages = Array(work.messages.filter { $0.handle == handle })
    work.messages.removeAll { $0.handle == handle }
    waiting.removeAll { $0 == handle }
    queues[handle]?.waiting = 0
    return messages
  }

  // MARK: What waits

  /// Bytes that wait to be sent or acknowledged.
  func queuedBytes(of handle: SessionHandle) -> Int { queues[handle]?.bytes ?? 0 }

  /// Whether the queue is at most half full, or gone.
  func hasRoom(_ handle: SessionHandle) -> Bool { queuedBytes(of: handle) <= queueLimit / 2 }

  /// Takes a message for the loop.
  /// - Throws: `SendError`, and nothing was taken.
  mutating func send(_ message: EncodedMessage, to handle: SessionHandle) throws(SendError) {
    guard let place = queues.index(forKey: handle) else { throw .notConnected }
    let queue = queues.values[place]
    guard message.size <= queue.longest else { throw .tooLarge(size: message.size, limit: queue.longest) }
    let content = message.content
    // An empty queue takes any message.
    guard queue.bytes == 0 || Self.cost(content.count) <= queueLimit - queue.bytes else {
      throw .queueFull(limit: queueLimit)
    }
    if queue.isSuspended, !makeRoom(for: message, to: handle) { return }
    if queue.waiting == 0 { waiting.append(handle) }
    queues.values[place].waiting += Self.cost(content.count)
    work.messages.append(
      Outgoing(handle: handle, content: content, size: message.size, options: message.options))
    // A message ends a rest, also one that the loop has not heard of yet.
    if !work.rests.isEmpty { work.rests[handle] = nil }
  }

  /// Notes that a session's player rests from here on, or does no more.
  mutating func setResting(_ isResting: Bool, of handle: SessionHandle) {
    if queues[handle] != nil { work.rests[handle] = isResting }
  }

  /// Notes that the app has taken an event: a message, if there is `credit`.
  /// - Returns: whether the loop should hear of it now.
  mutating func giveBack(_ credit: Credit?, isLast: Bool) -> Bool {
    if let credit, queues[credit.account.handle]?.isSuspended == false {
      work.add(credit)
      withheld += credit.bytes
    }
    // With nothing left to take, nobody would come by later to give back the rest, whoever it belongs to, and a sender
    // that needs all of its credit for one message would wait for ever.
    return withheld >= creditStep || isLast && withheld > 0
  }

  /// Whether the caller has to call the loop: once is enough.
  mutating func call() -> Bool {
    defer { isCalled = true }
    return !isCalled
  }

  /// The same for a message that was taken. One that waits for `flush` waits here just as well.
  mutating func callForMessage(_ priority: Priority) -> Bool {
    switch flushPolicy {
    case .manual where priority != .immediate: false
    case .atOnce, .after, .manual: call()
    }
  }

  // MARK: From the loop

  /// Exchanges `spare` (empty) for what is to be done, so that two lists take turns.
  mutating func take(_ spare: inout Work) {
    isCalled = false
    withheld = 0
    swap(&work, &spare)
    for handle in waiting {
      guard let place = queues.index(forKey: handle) else { continue }
      queues.values[place].inEngine += queues.values[place].waiting
      queues.values[place].waiting = 0
      busy.insert(handle)
    }
    waiting.removeAll(keepingCapacity: true)
  }

  /// Asks the engine how many bytes it still holds.
  mutating func correct(_ inEngine: (SessionHandle) -> Int) {
    for handle in busy {
      let bytes = inEngine(handle)
      queues[handle]?.inEngine = bytes
      if bytes == 0 { busy.remove(handle) }
    }
  }
}
