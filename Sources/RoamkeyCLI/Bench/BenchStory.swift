internal import ArgumentParser
internal import Roamkey

/// What `roamkey bench` measures, one after the other.
enum BenchStory: String, ExpressibleByArgument, CaseIterable {
  /// From nothing to an open session.
  case connect
  /// A small message there and back, one at a time.
  case roundtrip
  /// Small messages, each of which arrives, in their order.
  case reliable
  /// Small messages that are not repeated.
  case unreliable
  /// Large messages, each of which arrives.
  case bulk

  /// Bytes of a message's body; nil where none is sent.
  var messageSize: Int? {
    switch self {
    case .connect: nil
    case .roundtrip, .reliable, .unreliable: 64
    case .bulk: 64 << 10
    }
  }

  /// What the rows are called.
  var title: String {
    switch self {
    case .connect: "connect"
    case .roundtrip: "round trip"
    case .reliable: "reliable"
    case .unreliable: "unreliable"
    case .bulk: "bulk"
    }
  }
}

/// What `--policy` can be.
enum BenchPolicy: String, ExpressibleByArgument, CaseIterable {
  case signed
  case sealed
  case both

  /// In the order in which they are measured.
  var policies: [SigningPolicy] {
    switch self {
    case .signed: [.everyPacket]
    case .sealed: [.sealedOnly]
    case .both: [.everyPacket, .sealedOnly]
    }
  }
}

extension SigningPolicy {
  /// Its name on the command line and in the output.
  var benchName: String {
    switch self {
    case .everyPacket: "signed"
    case .sealedOnly: "sealed"
    }
  }
}

/// What a bench client is asked to do.
struct BenchSettings: Sendable {
  /// How long a story takes, its beginning included.
  var duration: Duration = .seconds(2)
  /// How long an answer may take before the server counts as gone: more than the worst round trip behind a full queue,
  /// less than anybody likes to look at a line that does not move.
  var patience: Duration = .seconds(10)
  var stories = BenchStory.allCases
  /// Nil takes all that the server has.
  var policy: BenchPolicy?

  /// The first part of a story is not counted: the congestion window has to open, code and caches get warm.
  var warmUp: Duration { duration / 4 }
}
