import RoamkeyEngine
import RoamkeyWire

/// Frames written and read, and messages through both sides' channels, beside copies of the same bytes.
enum FrameTimings {
  private static let messages = 12
  private static let content = [UInt8](repeating: 7, count: 65)

  static var all: [Timing] { [build, parse, channels] }

  /// An acknowledgement of three ranges, and messages of 64 bytes with their header.
  private static func write(to scratch: Scratch) -> Int {
    var output = OutputRawSpan(buffer: scratch.bytes, initializedCount: 0)
    _ = output.appendAck(room: 64, delay: .microseconds(150), count: 3) { i in
      let upper = UInt64(5000 - 10 * i)
      return (upper - 5)...upper
    }
    let stream = MessageOptions().stream
    for i in 0..<messages {
      output.appendMessage(stream, sequence: UInt64(1000 + i), content: content, range: 0..<content.count)
    }
    return output.finalize(for: scratch.bytes)
  }

  private static var build: Timing {
    let (ours, theirs, source) = (Scratch(), Scratch(), Scratch())
    let size = write(to: source)
    return Timing(
      "write frames, \(size) B", unit: "packet", against: "memcpy", work: { keep(write(to: ours)) },
      bare: {
        theirs.copy(size, from: source)
        keep(theirs)
      })
  }

  private static var parse: Timing {
    let (source, theirs) = (Scratch(), Scratch())
    let size = write(to: source)
    return Timing(
      "read frames, \(size) B", unit: "packet", against: "memcpy",
      work: {
        let payload = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(source.first(size)))
        var position = 0
        var bytes = 0
        while position < size, let frame = try? Frame.read(payload, at: &position) {
          if case .message(let message) = frame { bytes += message.bytes.count }
        }
        precondition(bytes == messages * content.count, "the frames were not read")
      },
      bare: {
        theirs.copy(size, from: source)
        keep(theirs)
      })
  }

  private static var channels: Timing {
    let packet = Scratch(count: 1200)
    var pair = ChannelPair()
    var now = Instant(nanoseconds: 1_000_000_000)
    let theirs = Scratch()
    return Timing(
      "channels, 64 B", unit: "message", against: "a copy in an array",
      work: {
        now = now + .microseconds(1)
        let size = pair.pass(content, MessageOptions(), through: packet.bytes, now: now)
        precondition(size == content.count, "the message has not arrived")
      },
      bare: { keep(Array(theirs.first(content.count))) })
  }
}
