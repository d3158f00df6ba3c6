import RoamkeyEngine
import RoamkeyWire

/// What a datagram costs a server, by the number of its sessions: in memory, without a system call.
struct GrowthCommand {
  /// Datagrams to and from the server in each measurement.
  private static let datagrams = 80_000
  /// A signed one costs as much as ten others.
  private static let signedShare = 10
  private static let runs = 3

  private var policies = [SigningPolicy.sealedOnly, .everyPacket]
  private var counts: [Int] = []

  /// - Parameter words: what stands behind the command's name: `--sealed`, and numbers of sessions.
  init?(_ words: some Sequence<String>) {
    for word in words {
      if word == "--sealed" {
        policies = [.sealedOnly]
      } else if let count = Int(word), Self.allowed.contains(count) {
        counts.append(count)
      } else {
        return nil
      }
    }
    if counts.isEmpty { counts = [10, 100, 1000, 10_000] }
  }

  /// Each player has a port of their own.
  private static let allowed = 1...60_000

  func run() {
    print("a server's datagram, by sessions: ns, and to the first of its column")
    print("sessions  " + policies.map { $0 == .sealedOnly ? "  sealed          " : "  signed" }.joined())
    var first: [SigningPolicy: Double] = [:]
    for count in counts {
      var line = Text.left("\(count)", 8)
      for policy in policies {
        let crowd = GrowthCrowd(policy: policy, players: count)
        let turns = Self.datagrams / 2 / (policy == .everyPacket ? Self.signedShare : 1)
        _ = crowd.play(turns: max(turns / 4, 2 * count))
        let times = (0..<Self.runs).map { _ in crowd.play(turns: turns) }.sorted()
        let time = times[Self.runs / 2]
        let ratio = time / (first[policy] ?? time)
        first[policy] = first[policy] ?? time
        line += Text.right("\(Int(time.rounded()))", 10) + Text.right("\((ratio * 100).rounded() / 100) x", 8)
      }
      print(line)
    }
  }
}
