internal import Roamkey
internal import RoamkeyTerminal

/// The summary: a row for each story on standard output, or a line of JSON.
struct BenchPrinter {
  let json: Bool
  let settings: BenchSettings
  /// Over loopback, with a server of this command's own.
  let isAlone: Bool

  private var printer: EventPrinter { EventPrinter(isOn: json) }

  /// The policy of the row before; a new one gets a heading.
  private var policy: SigningPolicy?

  init(json: Bool, settings: BenchSettings, isAlone: Bool) {
    self.json = json
    self.settings = settings
    self.isAlone = isAlone
  }

  func began(_ address: NetworkAddress, _ id: PlayerID, isPinned: Bool) throws(Failure) {
    printer.connected(id, address: address)
    guard !json else { return }
    try answer(
      isAlone
        ? "this machine with itself over loopback; the server is a process of its own"
        : "from this machine to the bench server at \(address)")
    if !isPinned {
      Console.note("the server there is \(id): compare it, or give it with --pin")
    }
    if _isDebugAssertConfiguration() {
      try answer("this is a debug build, which is many times slower: measure with a release build")
    }
  }

  mutating func show(_ result: BenchResult) throws(Failure) {
    if json { return printer.print("story", Self.fields(result)) }
    if policy != result.policy {
      policy = result.policy
      try answer("")
      try answer(Self.headings(result.policy))
    }
    try answer(Self.row(result))
    for remark in Self.remarks(result) { try answer("    " + remark) }
  }

  func ended() throws(Failure) {
    guard !json else { return }
    try answer("")
    for line in Self.legend(settings) { try answer(line) }
  }

  private func answer(_ line: String) throws(Failure) { try Console.answer(line) }

  // MARK: Rows

  static func headings(_ policy: SigningPolicy) -> String {
    let words = policy == .everyPacket ? "signed" : "sealed only"
    return columns(words, "", "CPU here", "CPU there", "lost", "packet", "bound by")
  }

  static func row(_ result: BenchResult) -> String {
    var cells = ["-", "-", "-", "-", ""]
    let figure: String
    switch result.figure {
    case .times(let times):
      figure =
        times.named.map { "\($0) \(BenchText.time($1))" }.joined(separator: ", ")
        + " of \(BenchText.count(Double(times.count)))"
      if let processor = result.processor { cells[0] = BenchText.time(microseconds: processor) }
    case .rate(nil): figure = "nothing arrived in the time: give it more --seconds"
    case .rate(let rate?):
      figure = words(rate, result.story)
      cells[0] = BenchText.time(microseconds: rate.processorHere)
      cells[1] = BenchText.time(microseconds: rate.processorThere)
      let bound = result.path.flatMap { BenchBound(rate, $0, queueLimit: BenchSession.queueLimit) }
      cells[4] = bound?.words ?? ""
    }
    if let path = result.path {
      cells[2] = path.packetsLost == 0 ? "0" : BenchText.share(path.lossShare)
      cells[3] = "\(path.packetSize)"
    }
    return columns(result.story.title, figure, cells[0], cells[1], cells[2], cells[3], cells[4])
  }

  private static func words(_ rate: BenchRate, _ story: BenchStory) -> String {
    switch story {
    case .bulk: BenchText.byteRate(rate.bytesPerSecond)
    case .unreliable:
      "\(BenchText.count(rate.messagesPerSecond)) a second, arrived \(BenchText.share(rate.arrived))"
    case .connect, .roundtrip, .reliable: "\(BenchText.digits(rate.messagesPerSecond)) a second"
    }
  }

  static func remarks(_ result: BenchResult) -> [String] {
    var remarks: [String] = []
    if result.others > 0 {
      remarks.append("others measured there at the same time (\(result.others)): both get less than they might")
    }
    if result.unread > 0 {
      remarks.append(
        "of those that did not arrive the server had no time for \(BenchText.count(Double(result.unread)))")
    }
    return remarks
  }

  private static func columns(
    _ title: String, _ figure: String, _ here: String, _ there: String, _ lost: String, _ packet: String,
    _ bound: String
  ) -> String {
    let line =
      "  " + title.padded(to: 12) + figure.padded(to: 52) + here.rightAligned(to: 9) + there.rightAligned(to: 11)
      + lost.rightAligned(to: 8) + packet.rightAligned(to: 8) + "  " + bound
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  static func legend(_ settings: BenchSettings) -> [String] {
    [
      "Measured from here: this side sends, the server counts. \(BenchText.time(settings.duration)) a story, of which"
        + " the first quarter does not count.",
      "connect: a new session, its sockets included. round trip: 64 bytes there and back, one at a time.",
      "reliable, unreliable: messages of 64 bytes that arrived; bulk: reliable messages of 64 KiB, 1 MB = 10^6 bytes.",
      "CPU: processor time a message (or round trip) of this process and of the server's, all threads.",
      "lost: packets of this side; what they carried was sent again where that was promised.",
      "packet: bytes of UDP payload in a full one, at the end. bound by: what held it back, where that can be told.",
    ]
  }
}
