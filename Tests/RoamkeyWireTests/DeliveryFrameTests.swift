import RoamkeyWire
import Testing

/// The frames beside messages that delivery needs (PROTOCOL §8): written, read, and refused where they mean nothing.
@Suite struct DeliveryFrameTests {
  private static let ordered = StreamID(channel: 200, delivery: .reliableOrdered)
  private static let latest = StreamID(channel: 3, delivery: .latest)

  private static func read(_ bytes: [UInt8]) -> Frame? {
    var position = 0
    guard let frame = try? Frame.read(bytes.span.bytes, at: &position), position == bytes.count else { return nil }
    return frame
  }

  private static func write(capacity: Int = 100, _ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      var output = OutputRawSpan(buffer: raw, initializedCount: 0)
      body(&output)
      count = output.finalize(for: raw)
    }
  }

  @Test func everyFrameComesBack() {
    let limit = MaxChannelDataFrame(stream: Self.ordered, limit: 1 << 30)
    let receipt = ReceiptFrame(stream: Self.latest, sequences: 7...70)
    let skip = SkipFrame(stream: Self.ordered, sequence: 9, credit: 132)
    let answer = TimeResponseFrame(echo: .max, received: 1 << 63, delay: 70)
    let rest = RestingFrame(sequence: 4, isResting: true)
    guard case .maxChannelData(limit) = Self.read(Self.write({ $0.appendMaxChannelData(limit) })),
      case .receipt(receipt) = Self.read(Self.write({ $0.appendReceipt(receipt) })),
      case .skip(skip) = Self.read(Self.write({ $0.appendSkip(skip) })),
      case .timeRequest(77) = Self.read(Self.write({ $0.appendTimeRequest(77) })),
      case .timeResponse(answer) = Self.read(Self.write({ $0.appendTimeResponse(answer) })),
      case .resting(rest) = Self.read(Self.write({ $0.appendResting(rest) }))
    else {
      Issue.record("a frame was read as another one, or not at all")
      return
    }
  }

  @Test func theLargestFramesFitTheirSizes() {
    let most: UInt64 = 1 << 62 - 1
    let stream = StreamID(channel: 255, delivery: .reliableUnordered)
    let sizes = [
      Self.write { $0.appendMaxChannelData(MaxChannelDataFrame(stream: stream, limit: most)) }.count
        - MaxChannelDataFrame.maximumSize,
      Self.write { $0.appendReceipt(ReceiptFrame(stream: stream, sequences: 0...most)) }.count
        - ReceiptFrame.maximumSize,
      Self.write { $0.appendSkip(SkipFrame(stream: stream, sequence: most, credit: most)) }.count
        - SkipFrame.maximumSize,
      Self.write { $0.appendTimeResponse(TimeResponseFrame(echo: .max, received: .max, delay: most)) }.count
        - TimeResponseFrame.maximumSize,
      Self.write { $0.appendResting(RestingFrame(sequence: most, isResting: false)) }.count
        - RestingFrame.maximumSize,
    ]
    #expect(sizes == [0, 0, 0, 0, 0])
  }

  @Test(
    "credit and giving up are for reliable streams; receipts do not reach below 0; a state is 0 or 1",
    arguments: [
      [0x0d, 0x02, 0x05], [0x0d, 0x44, 0x00, 0x05], [0x0f, 0x03, 0x01, 0x01], [0x0e, 0x00, 0x04, 0x05],
      [0x12, 0x01, 0x02], [0x0d, 0x00], [0x0e, 0x00, 0x01], [0x0f, 0x00, 0x01], [0x10, 0, 0], [0x11, 0, 0],
    ] as [[UInt8]])
  func refused(bytes: [UInt8]) {
    #expect(Self.read(bytes) == nil)
  }

  @Test func aStreamIsAChannelAndAMode() {
    for channel in [0, 1, 255] as [UInt8] {
      for delivery in Delivery.allCases {
        let stream = StreamID(channel: channel, delivery: delivery)
        #expect(StreamID(number: stream.number) == stream)
      }
    }
    #expect(StreamID(number: 1 << 10) == nil)
  }

  @Test(arguments: [0, 1, 63, 64, 300])
  func theLastMessageNeedsNoLength(count: Int) {
    let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let bytes = Self.write(capacity: 400) {
      $0.append(0x01)
      $0.appendMessage(Self.ordered, sequence: 70, content: content, range: 0..<count)
      $0.dropLastLength(Self.ordered, sequence: 70, count: count)
    }
    #expect(bytes.count == 1 + MessageFrame.bareHeaderSize(Self.ordered, sequence: 70) + count)
    guard case .message(let frame) = Self.read(Array(bytes.dropFirst())) else {
      Issue.record("it is no message any more")
      return
    }
    #expect(frame.stream == Self.ordered && frame.sequence == 70 && frame.total == UInt64(count))
    #expect(Array(bytes.dropFirst()[frame.bytes.shifted(by: 1)]) == content)
  }

  @Test func contentSaysOnlyWhatIsThere() throws {
    let plain = MessageContent(format: .bytes, action: "", body: [7])
    #expect(plain.encoded() == [0x00, 7])
    var full = MessageContent(
      format: .text, time: 0xab_cdef, wantsReceipt: true, author: [UInt8](repeating: 9, count: 32), action: "chat",
      body: Array("hi".utf8))
    let bytes = full.encoded()
    #expect(bytes.count == 1 + 3 + 32 + 1 + 4 + 2 && bytes[0] == 0x75 && Array(bytes[1...3]) == [0xab, 0xcd, 0xef])
    #expect(try MessageContent(bytes.span.bytes) == full)
    full.time = nil
    full.author = nil
    #expect(try MessageContent(full.encoded().span.bytes) == full)
  }

  @Test(
    "reserved flags, an action of no bytes, and what ends early are refused",
    arguments: [[0x08], [0x80], [0x03], [0x10, 0x00], [0x10, 0x02, 0x61], [0x20, 1, 2], [0x04, 1]] as [[UInt8]])
  func badContent(bytes: [UInt8]) {
    #expect((try? MessageContent(bytes.span.bytes)) == nil)
  }
}

extension Range<Int> {
  fileprivate func shifted(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}
