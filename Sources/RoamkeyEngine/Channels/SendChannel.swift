import DequeModule
import RoamkeyWire

/// The sending half of a reliable ordered channel: what is queued, on its way, or lost.
///
/// It decides which bytes go next and knows nothing of packets: a range that is reported lost is sent again as bytes,
/// whatever packet it was in.
struct SendChannel {
  /// A piece of a message to put into a packet.
  struct Piece {
    var sequence: UInt64
    var range: Range<Int>
    /// What it costs of the peer's credit: 0 for what was sent before.
    var credit: Int
  }

  private struct Message {
    let content: [UInt8]
    /// The bytes that were sent at least once are the first of it.
    var sent = 0
    var wasSent = false
    /// It is, or was once, under way in several pieces.
    var isInPieces = false
    var acknowledged = ByteRanges()
    var isDone = false
  }

  private let stream: StreamID
  private var messages = Deque<Message>()
  /// The sequence of the first of `messages`: all before it are acknowledged.
  private var firstSequence: UInt64 = 0
  /// Index of the first message that has bytes never sent.
  private var cursor = 0
  private var lost = Deque<(sequence: UInt64, range: Range<Int>)>()
  /// Messages of several pieces that were begun and not acknowledged: the peer keeps room for so many only.
  private var openPieceMessages = 0
  private let pieceMessageLimit: Int
  /// Bytes queued or unacknowledged, overhead included.
  private(set) var queuedBytes = 0

  init(channel: UInt64, pieceMessageLimit: Int) {
    stream = StreamID(channel: UInt8(channel), delivery: .reliableOrdered)
    self.pieceMessageLimit = pieceMessageLimit
  }

  /// Whether everything was acknowledged.
  var isEmpty: Bool { messages.isEmpty }

  /// What `size` bytes of content cost.
  static func cost(_ size: Int) -> Int { size + MessageContent.creditOverhead }

  mutating func enqueue(_ content: [UInt8]) {
    messages.append(Message(content: content))
    queuedBytes += Self.cost(content.count)
  }

  /// The next piece that fits into `room` bytes together with its frame's header; lost ones first.
  /// - Parameter fullRoom: what an empty packet has room for: a message that fits into it is never cut up.
  mutating func nextPiece(room: Int, fullRoom: Int, credit: Int) -> Piece? {
    nextLost(room: room, fullRoom: fullRoom) ?? nextNew(room: room, fullRoom: fullRoom, credit: credit)
  }

  func content(of sequence: UInt64) -> [UInt8] { messages[Int(sequence - firstSequence)].content }

  private mutating func nextLost(room: Int, fullRoom: Int) -> Piece? {
    while let (sequence, range) = lost.first {
      guard let index = index(of: sequence), !messages[index].isDone,
        // Some of it may have been acknowledged late.
        let missing = messages[index].acknowledged.missing(in: range).first ?? emptyMessage(index, range)
      else {
        lost.removeFirst()
        continue
      }
      guard let fitting = fit(sequence, missing, of: messages[index], room: room, fullRoom: fullRoom)
      else { return nil }
      if fitting.upperBound >= range.upperBound {
        lost.removeFirst()
      } else {
        lost[0].range = fitting.upperBound..<range.upperBound
      }
      markPieces(index, fitting)
      return Piece(sequence: sequence, range: fitting, credit: 0)
    }
    return nil
  }

  /// An empty message has no missing bytes, but is missing as a whole.
  private func emptyMessage(_ index: Int, _ range: Range<Int>) -> Range<Int>? {
    messages[index].content.isEmpty ? range : nil
  }

  private mutating func nextNew(room: Int, fullRoom: Int, credit: Int) -> Piece? {
    guard cursor < messages.count else { return nil }
    let index = cursor
    let message = messages[index]
    let overhead = message.wasSent ? 0 : MessageContent.creditOverhead
    let total = message.content.count
    let sequence = firstSequence + UInt64(index)
    let affordable = min(total, message.sent + credit - overhead)
    guard credit >= overhead, affordable > message.sent || total == 0,
      let range = fit(sequence, message.sent..<affordable, of: message, room: room, fullRoom: fullRoom)
    else { return nil }
    guard range.count == total || message.isInPieces || openPieceMessages < pieceMessageLimit else { return nil }
    markPieces(index, range)
    messages[index].sent = range.upperBound
    messages[index].wasSent = true
    if range.upperBound == total { cursor += 1 }
    return Piece(sequence: sequence, range: range, credit: range.count + overhead)
  }

  private mutating func markPieces(_ index: Int, _ range: Range<Int>) {
    guard range.count < messages[index].content.count, !messages[index].isInPieces else { return }
    messages[index].isInPieces = true
    openPieceMessages += 1
  }

  /// As many bytes of `wanted` as fit; nil where that is not worth a frame.
  private func fit(
    _ sequence: UInt64, _ wanted: Range<Int>, of message: Message, room: Int, fullRoom: Int
  ) -> Range<Int>? {
    let total = message.content.count
    let whole = MessageFrame.headerSize(stream, sequence: sequence, count: total) + total
    if whole <= fullRoom, !message.isInPieces {
      return whole <= room && wanted == 0..<total ? wanted : nil
    }
    let header = MessageFrame.pieceHeaderSize(
      stream, sequence: sequence, offset: wanted.lowerBound, total: total,
      count: min(wanted.count, max(0, room)))
    let size = min(wanted.count, room - header)
    guard size > 0, size >= min(wanted.count, Self.smallestPiece) else { return nil }
    return wanted.lowerBound..<(wanted.lowerBound + size)
  }

  /// Pieces shorter than this are not begun: their headers would be a large part of them.
  private static let smallestPiece = 64

  mutating func onAcknowledged(sequence: UInt64, range: Range<Int>) {
    guard let index = index(of: sequence), !messages[index].isDone else { return }
    let total = messages[index].content.count
    messages[index].acknowledged.insert(range)
    guard messages[index].wasSent, messages[index].acknowledged.covers(0..<total) else { return }
    messages[index].isDone = true
    if messages[index].isInPieces { openPieceMessages -= 1 }
    removeDone()
  }

  mutating func onLost(sequence: UInt64, range: Range<Int>) {
    guard let index = index(of: sequence), !messages[index].isDone else { return }
    lost.append((sequence, range))
  }

  private mutating func removeDone() {
    while let first = messages.first, first.isDone {
      queuedBytes -= Self.cost(first.content.count)
      messages.removeFirst()
      firstSequence += 1
      cursor -= 1
    }
  }

  private func index(of sequence: UInt64) -> Int? {
    guard sequence >= firstSequence, sequence - firstSequence < UInt64(messages.count) else { return nil }
    return Int(sequence - firstSequence)
  }
}
