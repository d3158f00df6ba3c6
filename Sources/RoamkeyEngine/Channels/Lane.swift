import DequeModule
import RoamkeyCrypto
import RoamkeyWire

/// A message that has bytes never sent, but for its content, which the lane keeps beside: so this is copied and moved
/// without counting references.
struct WaitingMessage: Sendable {
  enum State: Sendable {
    case unsent
    /// Some of it was sent, in pieces; it has its sequence.
    case begun
    /// It was taken back; its place goes when it comes up.
    case dead
  }

  /// The size of its content.
  let total: Int
  /// Its number in the lane, by which its expiry finds it.
  let number: UInt64
  /// The app's number for it, if it wants a receipt.
  let token: UInt64
  private(set) var sequence: UInt64 = 0
  /// How many bytes were sent.
  private(set) var sent = 0
  let priority: Priority
  let wantsReceipt: Bool
  let expires: Bool
  private(set) var state = State.unsent
  let expiry: Instant

  init(total: Int, _ options: MessageOptions, number: UInt64) {
    self.total = total
    self.number = number
    token = options.receipt ?? 0
    wantsReceipt = options.receipt != nil
    priority = options.priority
    expires = options.expires != nil
    expiry = options.expires ?? .distantFuture
  }

  var isDead: Bool { state == .dead }

  /// Its first bytes were sent, and it is not done.
  mutating func advance(to sent: Int, sequence: UInt64) {
    state = .begun
    self.sent = sent
    self.sequence = sequence
  }

  mutating func kill() { state = .dead }
}

/// Bytes to send again.
struct LostRange: Sendable {
  let sequence: UInt64
  var range: Range<Int>
  let priority: Priority
}

/// Messages that leave one after the other: an ordered stream has one lane, any other one for each priority.
struct Lane: Sendable {
  /// Why its next new message may not leave, though there is room for it.
  enum Block: Sendable {
    case none
    /// The peer has not granted enough, or other messages have begun that need what there is.
    case credit
    /// The peer has to acknowledge something first: it keeps only so much for us.
    case window
  }

  /// The place of its stream.
  let stream: Int
  var waiting = Deque<WaitingMessage>()
  /// What they contain, in the same places.
  private(set) var contents = Deque<[UInt8]>()
  /// The number of the next message.
  var nextNumber: UInt64 = 0
  var lost = Deque<LostRange>()
  var block = Block.none
  /// The rings of the schedule that it stands in, as bits.
  var rings: UInt8 = 0
  /// The most urgent priority of what waits or was lost.
  private(set) var urgency = Priority.low
  /// How many waiting messages and lost ranges there are of each priority.
  private var counts = InlineArray<4, UInt32>(repeating: 0)
  private var dead = 0

  init(stream: Int) { self.stream = stream }

  /// The ring in which it belongs: those of lost and new bytes alternate, the most urgent first. Nil where nothing may
  /// leave.
  var ring: Int? {
    if !lost.isEmpty { return 2 * Int(urgency.rawValue) }
    return waiting.isEmpty || block != .none ? nil : 2 * Int(urgency.rawValue) + 1
  }

  mutating func prefetch() {
    prefetchStorage(of: &waiting, bytes: 128)
    prefetchStorage(of: &contents, bytes: 64)
  }

  mutating func append(_ content: consuming [UInt8], _ options: MessageOptions) {
    waiting.append(WaitingMessage(total: content.count, options, number: nextNumber))
    contents.append(content)
    nextNumber += 1
    count(options.priority)
  }

  mutating func append(_ range: LostRange) {
    lost.append(range)
    count(range.priority)
  }

  /// Takes the first waiting message, which is wholly sent now.
  mutating func takeFirst() -> [UInt8] {
    discount(waiting.removeFirst().priority)
    let content = contents.removeFirst()
    if dead > 0 { dropDead() }
    return content
  }

  mutating func dropFirstLost() { discount(lost.removeFirst().priority) }

  /// Takes a message back. Its place stays until it comes up or half of all are such, so that nothing has to move.
  mutating func kill(at place: Int) {
    discount(waiting[place].priority)
    waiting[place].kill()
    contents[place] = []
    dead += 1
    if dead > waiting.count / 2 { compact() }
    dropDead()
  }

  private mutating func compact() {
    var live = 0
    for place in waiting.indices where !waiting[place].isDead {
      waiting.swapAt(live, place)
      contents.swapAt(live, place)
      live += 1
    }
    waiting.removeLast(dead)
    contents.removeLast(dead)
    dead = 0
  }

  /// Afterwards the first waiting message, if any, is a live one.
  private mutating func dropDead() {
    while let first = waiting.first, first.isDead {
      waiting.removeFirst()
      contents.removeFirst()
      dead -= 1
    }
  }

  /// Where the live message with this number is.
  func place(ofNumber number: UInt64) -> Int? {
    var low = 0
    var high = waiting.count
    while low < high {
      let middle = low + (high - low) / 2
      if waiting[middle].number < number { low = middle + 1 } else { high = middle }
    }
    guard low < waiting.count, waiting[low].number == number, !waiting[low].isDead else { return nil }
    return low
  }

  private mutating func count(_ priority: Priority) {
    counts[Int(priority.rawValue)] += 1
    if priority < urgency || counts[Int(urgency.rawValue)] == 0 { urgency = priority }
  }

  private mutating func discount(_ priority: Priority) {
    let i = Int(priority.rawValue)
    counts[i] -= 1
    guard counts[i] == 0, priority == urgency else { return }
    urgency = Priority.allCases.first { counts[Int($0.rawValue)] > 0 } ?? .low
  }
}
