import RoamkeyEngine
import RoamkeyWire

/// The messages of both apps, and what is promised of them.
final class SessionPost {
  private struct Letter {
    let content: [UInt8]
    let stream: StreamID
    let expires: Instant?
    let wantsReceipt: Bool
    var arrivals = 0
    var outcome: DeliveryOutcome?
  }

  /// By who receives them: the client, the server.
  private var letters: [[Letter]] = [[], []]
  private(set) var delivered = [0, 0]
  private(set) var joins = 0
  private(set) var roamed = false
  private(set) var offline = false
  private(set) var wasReset = false
  private(set) var receipts = 0
  private(set) var expired = 0
  /// A session has ended at one end at least, so that what was queued there is lost.
  private(set) var hasLost = false
  var hasClosed = false
  var altered = false
  var forwarded = false

  /// What the next letter says.
  func write(_ size: Int, _ options: inout MessageOptions, wantsReceipt: Bool, toServer: Bool) -> [UInt8] {
    let place = toServer ? 1 : 0
    let number = letters[place].count
    if wantsReceipt { options.receipt = UInt64(number) }
    var body: [UInt8] = []
    body.append(bigEndian: UInt32(number))
    body += (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
    return MessageContent(format: .bytes, wantsReceipt: wantsReceipt, action: "", body: body).encoded()
  }

  /// It is given to the engine.
  func send(_ content: [UInt8], _ options: MessageOptions, toServer: Bool) {
    letters[toServer ? 1 : 0].append(
      Letter(
        content: content, stream: options.stream, expires: options.expires, wantsReceipt: options.receipt != nil))
  }

  /// It was not, after all.
  func takeBack(toServer: Bool) { letters[toServer ? 1 : 0].removeLast() }

  func note(_ event: EngineEvent, atServer: Bool) {
    switch event {
    case .joined: joins += 1
    case .message(_, let message): receive(message, at: atServer ? 1 : 0)
    case .roamed: roamed = true
    case .offline: offline = true
    case .reset:
      wasReset = true
      hasLost = true
    case .receipt(_, let number, let outcome): settle(Int(number), outcome, of: atServer ? 0 : 1)
    case .left, .connectFailed: hasLost = true
    case .online, .searching: break
    }
  }

  private func receive(_ message: InboundMessage, at place: Int) {
    var position = 0
    guard let number: UInt32 = try? message.content.body.span.bytes.readInteger(at: &position),
      letters[place].indices.contains(Int(number))
    else { preconditionFailure("a message that nobody sent") }
    let letter = letters[place][Int(number)]
    precondition(message.content.encoded() == letter.content, "letter \(number) says something else")
    precondition(message.stream == letter.stream, "letter \(number) came in another stream")
    precondition(letter.arrivals == 0, "letter \(number) of \(letter.stream) came twice")
    letters[place][Int(number)].arrivals += 1
    delivered[place] += 1
  }

  private func settle(_ number: Int, _ outcome: DeliveryOutcome, of place: Int) {
    precondition(letters[place].indices.contains(number), "a receipt for nothing")
    let letter = letters[place][number]
    precondition(letter.wantsReceipt && letter.outcome == nil, "letter \(number) has a second outcome: \(outcome)")
    letters[place][number].outcome = outcome
    switch outcome {
    case .delivered:
      precondition(letter.arrivals == 1, "letter \(number) is said to be delivered")
      receipts += 1
    case .expired:
      precondition(letter.expires != nil, "letter \(number) cannot expire")
      expired += 1
    case .superseded: precondition(letter.stream.delivery == .latest, "letter \(number) cannot be superseded")
    case .lost: precondition(!letter.stream.delivery.isReliable, "letter \(number) must not be lost")
    }
  }

  /// - Parameters:
  ///   - isWhole: the session was neither closed nor lost.
  ///   - isSettled: nothing is queued any more.
  func check(isWhole: Bool, isSettled: Bool, state: () -> String) {
    guard isWhole else { return }
    precondition(isSettled, "a quarter of an hour of an honest network are not enough: \(state())")
    for place in 0...1 {
      for (number, letter) in letters[place].enumerated() where letter.stream.delivery.isReliable {
        guard letter.expires == nil else { continue }
        precondition(letter.arrivals == 1, "letter \(number) of \(letter.stream) never came")
      }
    }
  }
}
