import Testing

@testable import RoamkeyWire

/// A frame was read, but another one than was written.
private struct WrongFrame: Error {}

/// Frames are written and read alike, and nothing that a stranger sends can trap (docs/PROTOCOL.md, frames).
struct FrameTests {
  static func write(_ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
    var buffer = [UInt8](repeating: 0xee, count: 1400)
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      body(&output)
      return output.finalize(for: bytes)
    }
    return Array(buffer[..<count])
  }

  /// Reads one frame that must take all of `bytes`.
  static func read(_ bytes: [UInt8]) throws -> Frame {
    var position = 0
    let frame = try Frame.read(bytes.span.bytes, at: &position)
    #expect(position == bytes.count)
    return frame
  }

  @Test(
    "RFC 9000 §16 and A.1: variable-length integers",
    arguments: [
      ([0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652 as UInt64),
      ([0x9d, 0x7f, 0x3e, 0x7d], 494_878_333), ([0x7b, 0xbd], 15_293), ([0x25], 37),
    ] as [([UInt8], UInt64)])
  func varints(bytes: [UInt8], value: UInt64) throws {
    var position = 0
    let read = try bytes.span.bytes.readVarint(at: &position)
    #expect(read == value)
    #expect(position == bytes.count)
    #expect(Self.write { $0.append(varint: value) } == bytes)
    var array: [UInt8] = []
    array.append(varint: value)
    #expect(array == bytes)
    for cut in 0..<bytes.count {
      let short = Array(bytes[..<cut])
      var position = 0
      let result = try? short.span.bytes.readVarint(at: &position)
      #expect(result == nil && position == 0)
    }
  }

  @Test func aLongerFormOfAVarintIsReadToo() throws {
    let bytes: [UInt8] = [0x40, 0x25]
    var position = 0
    let value = try bytes.span.bytes.readVarint(at: &position)
    #expect(value == 37)
  }

  @Test func ackRangesComeBackNewestFirst() throws {
    let ranges: [ClosedRange<UInt64>] = [90...100, 70...80, 50...50, 1...40]
    let bytes = Self.write { output in
      let written = output.appendAck(room: 100, delay: .microseconds(1234), count: 4) { ranges[$0] }
      #expect(written)
    }
    guard case .ack(let ack) = try Self.read(bytes) else {
      Issue.record("not an ACK")
      return
    }
    #expect(ack.largest == 100)
    #expect(ack.delay == .microseconds(1234))
    var read: [ClosedRange<UInt64>] = []
    ack.forEachRange(bytes.span.bytes) { read.append($0) }
    #expect(read == ranges)
  }

  @Test func ackKeepsTheNewestRangesWhereRoomIsShort() throws {
    let bytes = Self.write { output in
      // 60 isolated packets, 1000 down to 882.
      let written = output.appendAck(room: 20, delay: .zero, count: 60) { i in
        let number = UInt64(1000 - 2 * i)
        return number...number
      }
      #expect(written)
    }
    #expect(bytes.count <= 20)
    guard case .ack(let ack) = try Self.read(bytes) else {
      Issue.record("not an ACK")
      return
    }
    var read: [ClosedRange<UInt64>] = []
    ack.forEachRange(bytes.span.bytes) { read.append($0) }
    #expect(read.first == 1000...1000)
    #expect(read.count > 3)
    let nothing = Self.write { output in
      let written = output.appendAck(room: 3, delay: .zero, count: 1) { _ in 1000...1000 }
      #expect(!written)
    }
    #expect(nothing.isEmpty)
  }

  @Test(
    "ACK ranges that reach below zero, and too many of them, are refused",
    arguments: [
      [0x02, 0x05, 0x00, 0x00, 0x06], [0x02, 0x05, 0x00, 0x01, 0x00, 0x04, 0x00], [0x02, 0x05, 0x00, 0x40, 0x40, 0x00],
      [0x02, 0x05, 0x00, 0x01, 0x00, 0x00],
    ] as [[UInt8]])
  func hostileAck(bytes: [UInt8]) {
    var position = 0
    let frame = try? Frame.read(bytes.span.bytes, at: &position)
    #expect(frame == nil)
  }

  private static let plain = StreamID(channel: 0, delivery: .reliableOrdered)

  @Test func messagesWholeAndInPieces() throws {
    let content = Array("a message".utf8)
    let whole = Self.write {
      $0.appendMessage(Self.plain, sequence: 70, content: content, range: 0..<content.count)
    }
    guard case .message(let message) = try Self.read(whole) else { throw WrongFrame() }
    #expect(message.sequence == 70 && message.total == UInt64(content.count) && message.offset == 0)
    #expect(Array(whole[message.bytes]) == content)
    #expect(
      whole.count - content.count == MessageFrame.headerSize(Self.plain, sequence: 70, count: content.count))

    let other = StreamID(channel: 255, delivery: .unreliable)
    let piece = Self.write { $0.appendMessage(other, sequence: 70, content: content, range: 2..<6) }
    guard case .message(let part) = try Self.read(piece) else { throw WrongFrame() }
    #expect(part.stream == other && part.offset == 2 && part.total == UInt64(content.count))
    #expect(Array(piece[part.bytes]) == Array(content[2..<6]))
    #expect(
      piece.count - 4
        == MessageFrame.pieceHeaderSize(other, sequence: 70, offset: 2, total: content.count, count: 4))
  }

  @Test(
    "pieces beyond the message's end, empty ones, and channels above 255 are refused",
    arguments: [
      [0x23, 0x00, 0x00, 0x05, 0x04, 0x00], [0x23, 0x00, 0x00, 0x02, 0x04, 0x03, 1, 2, 3],
      [0x23, 0x00, 0x00, 0x02, 0x04, 0x00], [0x21, 0x00, 0x00, 0x05, 1, 2], [0x21, 0x41, 0x00, 0x00, 0x01, 1],
    ] as [[UInt8]])
  func hostileMessage(bytes: [UInt8]) {
    var position = 0
    let frame = try? Frame.read(bytes.span.bytes, at: &position)
    #expect(frame == nil)
  }

  @Test func theOtherFrames() throws {
    let close = Self.write { $0.appendClose(.kicked, reason: CloseFrame.reason(from: "too loud")) }
    guard case .close(let frame) = try Self.read(close) else { throw WrongFrame() }
    #expect(frame.code == .kicked)
    #expect(String(decoding: close[frame.reason], as: UTF8.self) == "too loud")

    let address = NetworkAddress(ipv4: 192, 0, 2, 7, port: 4242)
    let observed = Self.write { $0.appendObservedAddress(ObservedAddressFrame(sequence: 9, address: address)) }
    guard case .observedAddress(let news) = try Self.read(observed) else { throw WrongFrame() }
    #expect(news.sequence == 9 && news.address == address)

    guard case .pathChallenge(77) = try Self.read(Self.write { $0.appendPathChallenge(77) }) else {
      throw WrongFrame()
    }
    guard case .pathResponse(78) = try Self.read(Self.write { $0.appendPathResponse(78) }) else {
      throw WrongFrame()
    }
    guard case .maxData(1 << 40) = try Self.read(Self.write { $0.appendMaxData(1 << 40) }) else {
      throw WrongFrame()
    }
    guard case .padding(5) = try Self.read([0, 0, 0, 0, 0]) else { throw WrongFrame() }
  }

  @Test(
    "reserved frame types are refused",
    arguments: [0x13, 0x1f, 0x30, 0xff] as [UInt8])
  func reserved(type: UInt8) {
    let bytes = [type] + [UInt8](repeating: 0, count: 64)
    var position = 0
    let frame = try? Frame.read(bytes.span.bytes, at: &position)
    #expect(frame == nil)
  }

  @Test func aReasonIsCutAtACharacter() {
    let text = String(repeating: "é", count: 100)
    #expect(CloseFrame.reason(from: text).count == 128)
    #expect(CloseFrame.reason(from: "x" + text).count == 127)
    #expect(String(validating: CloseFrame.reason(from: "x" + text), as: UTF8.self) != nil)
  }
}
