/// `micro`: nanoseconds of the parts that a packet's way is made of. Benchmarks/README.md says how to read them.
struct MicroCommand {
  private var runs = 31
  /// Beginnings of the names that are wanted; all where there are none.
  private var names: [String] = []

  /// - Returns: nil where the words are no such command.
  init?(_ words: some Sequence<String>) {
    var words = words.makeIterator()
    while let word = words.next() {
      if word == "--runs" {
        guard let text = words.next(), let count = Int(text), count > 0 else { return nil }
        runs = count
      } else if word.hasPrefix("-") {
        return nil
      } else {
        names.append(word)
      }
    }
  }

  func run() {
    let timings = CryptoTimings.all + TreeTimings.all + FrameTimings.all + SessionTimings.all + HandshakeTimings.all
    print(
      Text.left("", 24) + Text.left("a", 10) + Text.right("ns", 10) + Text.right("spread", 8)
        + Text.right("ratio", 8) + "  of")
    for timing in timings where names.isEmpty || names.contains(where: timing.name.hasPrefix) {
      let result = timing.summary(runs: runs)
      print(
        Text.left(timing.name, 24) + Text.left(timing.unit, 10)
          + Text.right(Text.number(result.median, digits: result.median < 100 ? 1 : 0), 10)
          + Text.right(Text.number(result.spread, digits: 0) + " %", 8)
          + Text.right(Text.number(result.ratio, digits: 2), 8) + "  " + timing.reference)
    }
  }
}
