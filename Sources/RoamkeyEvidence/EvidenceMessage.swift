public import RoamkeyCrypto
internal import RoamkeyEngine
public import RoamkeyWire

/// A message that recorded packets carry, put together.
public struct EvidenceMessage: Sendable, Hashable {
  /// Who is behind the words.
  public enum Authorship: Sendable, Hashable {
    /// The sender of the packets.
    case sender
    /// Somebody else, in the word of the sender of the packets: a host may have made it up.
    case said(PlayerID)
    /// Somebody else, or the sender, has signed this very message (PROTOCOL §9.8).
    case proven(PlayerID)
    /// A proof stands there and is none: in the word of the sender of the packets, as without it.
    case badProof(PlayerID)
  }

  /// The number of the packet that completed it.
  public let packet: UInt64
  /// When that was received, in microseconds since 1970, by the recorder's clock.
  public let time: UInt64
  public let channel: UInt8
  public let delivery: Delivery
  /// Its number in the stream.
  public let sequence: UInt64
  public let authorship: Authorship
  public let action: String
  public let body: [UInt8]
  /// Whether the body is text.
  public let isText: Bool
}

/// Puts messages together from the frames of packets that are good. Packets may be missing, and their sender may say
/// anything: what is kept is bounded by what came, and by limits.
package struct EvidenceMessages {
  private struct Key: Hashable {
    var stream: StreamID
    var sequence: UInt64
  }

  private struct Partial {
    var message: PartialMessage
    /// Of the oldest in order.
    var age: UInt64
  }

  private let header: EvidenceHeader
  private var partial: [Key: Partial] = [:]
  /// Keys of `partial` in the order of their ages, and of some that are not there any more.
  private var order: [(key: Key, age: UInt64)] = []
  private var bytes = 0
  private var ages: UInt64 = 0
  private var seen: [StreamID: SeenSequences] = [:]
  /// Messages that could not be put together, and frames that could not be read.
  package private(set) var incomplete: UInt64 = 0

  /// Messages with pieces missing, and their bytes: more than PROTOCOL §7 lets an honest peer have, together.
  private static let partialLimit = 256
  private static let byteLimit = 64 << 20

  package init(_ header: EvidenceHeader) { self.header = header }

  /// The messages that are complete with this packet.
  package mutating func take(_ packet: EvidencePacket) -> [EvidenceMessage] {
    var messages: [EvidenceMessage] = []
    var position = 0
    let frames = packet.frames.span.bytes
    while position < frames.byteCount {
      guard let frame = try? Frame.read(frames, at: &position) else {
        incomplete += 1
        break
      }
      guard case .message(let message) = frame, let content = complete(message, frames) else { continue }
      if let content = try? MessageContent(content) {
        messages.append(self.message(content, message, packet))
      } else {
        incomplete += 1
      }
    }
    return messages
  }

  /// The content of the frame's message, where all of it is here for the first time.
  private mutating func complete(_ frame: MessageFrame, _ frames: RawSpan) -> [UInt8]? {
    let key = Key(stream: frame.stream, sequence: frame.sequence)
    let piece = frames.extracting(frame.bytes)
    guard let total = Int(exactly: frame.total), seen[frame.stream]?.contains(frame.sequence) != true else {
      return nil
    }
    if frame.total == UInt64(frame.bytes.count) {
      forget(key)
      seen[frame.stream, default: SeenSequences()].insert(frame.sequence)
      return piece.array(0..<piece.byteCount)
    }
    // Taken out, so that its bytes are not copied with each piece.
    var entry = forget(key) ?? begin(key, total: total)
    guard entry.message.total == total, let offset = Int(exactly: frame.offset),
      (try? entry.message.insert(piece, offset: offset)) != nil
    else {
      incomplete += 1
      return nil
    }
    guard entry.message.isComplete else {
      bytes += entry.message.received
      partial[key] = entry
      makeRoom()
      return nil
    }
    seen[frame.stream, default: SeenSequences()].insert(frame.sequence)
    return entry.message.prefix
  }

  /// One that was whole could not be kept.
  package mutating func noteLost() { incomplete += 1 }

  /// No more packets come: what is not whole by now never will be.
  package mutating func finish() {
    incomplete += UInt64(partial.count)
    partial = [:]
    order = []
    bytes = 0
  }

  private mutating func begin(_ key: Key, total: Int) -> Partial {
    ages += 1
    order.append((key, ages))
    if order.count > 8 * Self.partialLimit {
      let living = partial
      order.removeAll { $0.age != ages && living[$0.key]?.age != $0.age }
    }
    return Partial(message: PartialMessage(total: total), age: ages)
  }

  @discardableResult
  private mutating func forget(_ key: Key) -> Partial? {
    guard let entry = partial.removeValue(forKey: key) else { return nil }
    bytes -= entry.message.received
    return entry
  }

  private mutating func makeRoom() {
    guard partial.count > Self.partialLimit || bytes > Self.byteLimit else { return }
    var passed = 0
    for (key, age) in order {
      guard partial.count > Self.partialLimit || bytes > Self.byteLimit else { break }
      passed += 1
      guard partial[key]?.age == age else { continue }
      forget(key)
      incomplete += 1
    }
    order.removeFirst(passed)
  }

  private func message(
    _ content: MessageContent, _ frame: MessageFrame, _ packet: EvidencePacket
  ) -> EvidenceMessage {
    EvidenceMessage(
      packet: packet.number, time: packet.time, channel: frame.stream.channel, delivery: frame.stream.delivery,
      sequence: frame.sequence, authorship: authorship(of: content), action: content.action, body: content.body,
      isText: content.format == .text)
  }

  private func authorship(of content: MessageContent) -> EvidenceMessage.Authorship {
    let stated = content.author.map { PlayerID(publicKey: Digest($0)) }
    let author = stated ?? header.sender
    guard let bytes = content.proof, case let proof = AuthorProof(bytes), !proof.isBlank else {
      return author == header.sender ? .sender : .said(author)
    }
    let statement = AuthorStatement(
      application: header.application, server: header.server, run: proof.run, number: proof.number,
      format: content.format, action: content.action, body: content.body)
    return statement.isSigned(by: author, proof.signature) ? .proven(author) : .badProof(author)
  }
}

/// Which messages of a stream were put together, of the last ones: they come again when a sender believes them lost.
private struct SeenSequences {
  /// As far as a reliable message may be ahead (PROTOCOL §7).
  private static let size: UInt64 = 1 << 15
  private var words = [UInt64](repeating: 0, count: Int(size / 64))
  /// One above the highest.
  private var end: UInt64 = 0

  /// Those too old to tell count as new: better twice than not at all.
  func contains(_ sequence: UInt64) -> Bool {
    guard sequence < end, end - sequence <= Self.size else { return false }
    return words[Self.word(sequence)] & Self.bit(sequence) != 0
  }

  mutating func insert(_ sequence: UInt64) {
    if sequence >= end {
      if sequence - end >= Self.size {
        for i in words.indices { words[i] = 0 }
      } else {
        clear(end...sequence)
      }
      end = sequence + 1
    }
    if end - sequence <= Self.size { words[Self.word(sequence)] |= Self.bit(sequence) }
  }

  /// Whole words at once: a sender may leave out as many as it likes, with each message.
  private mutating func clear(_ sequences: ClosedRange<UInt64>) {
    var next = sequences.lowerBound
    while next <= sequences.upperBound {
      let count = min(64 - (next & 63), sequences.upperBound - next + 1)
      let bits = count == 64 ? UInt64.max : (1 << count) - 1
      words[Self.word(next)] &= ~(bits << (next & 63))
      next += count
    }
  }

  private static func word(_ sequence: UInt64) -> Int { Int(sequence % size / 64) }
  private static func bit(_ sequence: UInt64) -> UInt64 { 1 << (sequence & 63) }
}
