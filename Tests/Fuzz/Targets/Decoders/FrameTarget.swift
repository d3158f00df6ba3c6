import RoamkeyWire

extension FuzzTargets {
  /// Frames as they stand in a packet: read, written again, and read again as the same.
  static let frames = FuzzTarget(
    "frames", longestInput: 1400,
    milestones: [
      "ackWithRanges", "piece", "wholeMessage", "addresses", "newConnectionID", "close", "delivery", "clock",
    ]
  ) { input, reached in
    let bytes = input.rest()
    let payload = bytes.span.bytes
    var position = 0
    while position < payload.byteCount {
      let start = position
      guard let frame = try? Frame.read(payload, at: &position) else {
        precondition(position <= payload.byteCount, "a frame that is none leads beyond the packet")
        return
      }
      precondition(position > start && position <= payload.byteCount, "a frame takes bytes, and no more than there are")
      note(frame, payload, &reached)
      check(frame, payload)
    }
  }

  private static func note(_ frame: Frame, _ payload: RawSpan, _ reached: inout Milestones) {
    switch frame {
    case .ack(let ack):
      var ranges = 0
      ack.forEachRange(payload) { _ in ranges += 1 }
      if ranges > 2 { reached.reach(0) }
    case .message(let message): reached.reach(UInt64(message.bytes.count) == message.total ? 2 : 1)
    case .addresses(let list): if !list.addresses(payload).isEmpty { reached.reach(3) }
    case .newConnectionID: reached.reach(4)
    case .close: reached.reach(5)
    case .maxChannelData, .receipt, .skip: reached.reach(6)
    case .timeRequest, .timeResponse, .resting: reached.reach(7)
    case .padding, .ping, .pathChallenge, .pathResponse, .pathDrop, .retireConnectionID, .moved, .observedAddress,
      .maxData:
      break
    }
  }

  /// Written again it is as long as it was, or shorter, and says the same.
  private static func check(_ frame: Frame, _ payload: RawSpan) {
    let once = written(frame, payload)
    var position = 0
    guard let again = try? Frame.read(once.span.bytes, at: &position) else {
      preconditionFailure("what was written cannot be read: \(frame)")
    }
    precondition(position == once.count, "what was written is not read to its end: \(frame)")
    precondition(written(again, once.span.bytes) == once, "the second encoding differs from the first: \(frame)")
    precondition(
      again.isAckEliciting == frame.isAckEliciting && again.isProbing == frame.isProbing,
      "a frame changes its nature: \(frame)")
  }

  private static func written(_ frame: Frame, _ payload: RawSpan) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: payload.byteCount + 128)
    let count = bytes.withUnsafeMutableBytes { buffer in
      var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
      append(frame, payload, to: &output)
      return output.finalize(for: buffer)
    }
    return Array(bytes[..<count])
  }

  private static func append(_ frame: Frame, _ payload: RawSpan, to output: inout OutputRawSpan) {
    switch frame {
    case .padding(let count): output.append(repeating: FrameType.padding, count: count, as: UInt8.self)
    case .ping: output.append(FrameType.ping)
    case .ack(let ack): append(ack, payload, to: &output)
    case .close(let close): output.appendClose(close.code, reason: payload.array(close.reason))
    case .pathChallenge(let data): output.appendPathChallenge(data)
    case .pathResponse(let data): output.appendPathResponse(data)
    case .pathDrop(let data): output.appendPathDrop(data)
    case .newConnectionID(let new):
      output.appendNewConnectionID(
        sequence: new.sequence, retirePriorTo: new.retirePriorTo, new.connectionID(payload), token: new.token(payload))
    case .retireConnectionID(let sequence): output.appendRetireConnectionID(sequence)
    case .moved(let epoch): output.appendMoved(epoch: epoch)
    case .addresses(let list): output.appendAddresses(sequence: list.sequence, list.addresses(payload))
    case .observedAddress(let observed): output.appendObservedAddress(observed)
    case .maxData(let limit): output.appendMaxData(limit)
    case .maxChannelData(let frame): output.appendMaxChannelData(frame)
    case .receipt(let frame): output.appendReceipt(frame)
    case .skip(let frame): output.appendSkip(frame)
    case .timeRequest(let time): output.appendTimeRequest(time)
    case .timeResponse(let frame): output.appendTimeResponse(frame)
    case .resting(let frame): output.appendResting(frame)
    case .message(let message): append(message, payload, to: &output)
    }
  }

  private static func append(_ ack: AckFrame, _ payload: RawSpan, to output: inout OutputRawSpan) {
    var ranges: [ClosedRange<UInt64>] = []
    ack.forEachRange(payload) { range in
      if let last = ranges.last {
        precondition(range.upperBound < last.lowerBound - 1, "ranges come newest first, and do not touch")
      }
      ranges.append(range)
    }
    precondition(ranges[0].upperBound == ack.largest, "the first range ends with the largest")
    precondition(ranges.count <= AckFrame.maximumRanges, "no more ranges than may be")
    let isWritten = output.appendAck(
      room: output.freeCapacity, delay: ack.delay, count: ranges.count, range: { ranges[$0] })
    precondition(isWritten, "there is room for the acknowledgement")
  }

  private static func append(_ message: MessageFrame, _ payload: RawSpan, to output: inout OutputRawSpan) {
    // The encoder has the whole content before it, so zeros stand for what is not here; huge ones are not made.
    let total = message.total
    guard total <= 4096 else { return output.append(FrameType.ping) }
    var content = [UInt8](repeating: 0, count: Int(total))
    let start = Int(message.offset)
    content.replaceSubrange(start..<start + message.bytes.count, with: payload.array(message.bytes))
    output.appendMessage(
      message.stream, sequence: message.sequence, content: content, range: start..<start + message.bytes.count)
  }
}
