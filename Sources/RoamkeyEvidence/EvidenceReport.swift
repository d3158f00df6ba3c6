public import RoamkeyCrypto
internal import RoamkeyEngine

/// What came of checking the files of one session.
public struct EvidenceReport: Sendable, Hashable {
  /// Why a file was not accepted. Nothing is said of the files behind it.
  public struct Refusal: Sendable, Hashable {
    public let file: String
    public let reason: EvidenceError
  }

  /// In the order of their parts.
  public internal(set) var files: [String]
  /// What the first file says of itself; nil where it says nothing. Only where nothing was refused it is proven.
  public internal(set) var header: EvidenceHeader?
  /// Of all files that were accepted.
  public internal(set) var summary = EvidenceSummary()
  /// Parts that are missing before the last one that is here.
  public internal(set) var missingParts: [ClosedRange<UInt32>] = []
  /// Messages that could not be put together, where somebody wanted them: packets of theirs are missing. Those count as
  /// well that were too many for one signature of the recorder.
  public internal(set) var incompleteMessages: UInt64 = 0
  /// Nil: all files are genuine.
  public internal(set) var refusal: Refusal?

  public var isGenuine: Bool { refusal == nil }

  /// Checks files of evidence, on whatever machine, without a network. Parts of one session are checked together, in
  /// their order, whatever the order of the paths.
  ///
  /// It takes some 50 us for each signature, on the thread that calls. Files of any size are read in pieces.
  /// - Parameters:
  ///   - paths: the files.
  ///   - player: whose session it should be. Without it a file of any key is genuine: look at who it is.
  ///   - server: the same of the server.
  ///   - onMessage: is given each message, once its packets have been checked and the recorder's next signature too. A
  ///     file may still be refused behind it.
  /// - Returns: a report for each session, in the order in which the paths name them first.
  public static func check(
    _ paths: [String], player: PlayerID? = nil, server: PlayerID? = nil,
    onMessage: ((EvidenceHeader, EvidenceMessage) -> Void)? = nil
  ) -> [EvidenceReport] {
    let check = EvidenceCheck(player: player, server: server, onMessage: onMessage)
    return EvidenceCheck.sessions(paths).map { check.run($0) }
  }
}

/// Checks files of evidence.
struct EvidenceCheck {
  struct File {
    var path: String
    var header: Result<EvidenceHeader, EvidenceError>
  }

  let player: PlayerID?
  let server: PlayerID?
  let onMessage: ((EvidenceHeader, EvidenceMessage) -> Void)?

  // MARK: Which belong together

  /// The files of each session, by part. One whose header cannot be read is alone.
  static func sessions(_ paths: [String]) -> [[File]] {
    struct Key: Hashable {
      var session: Digest
      var recorder: EvidenceHeader.Recorder
    }
    var sessions: [[File]] = []
    var places: [Key: Int] = [:]
    for path in paths {
      let file = File(path: path, header: header(of: path))
      guard case .success(let header) = file.header else {
        sessions.append([file])
        continue
      }
      let key = Key(session: header.sessionID, recorder: header.recorder)
      if let place = places[key] {
        sessions[place].append(file)
      } else {
        places[key] = sessions.count
        sessions.append([file])
      }
    }
    return sessions.map { $0.sorted { $0.part < $1.part } }
  }

  private static func header(of path: String) -> Result<EvidenceHeader, EvidenceError> {
    Result { () throws(EvidenceError) in
      var reader = EvidenceReader()
      let file = try EvidenceFile.open(path)
      // The header is in the first piece, unless the system gives bytes in driblets.
      while reader.header == nil {
        let bytes = try file.read()
        if bytes.isEmpty { throw .truncated(records: 0, signed: 0) }
        reader.append(bytes)
        try reader.readHeader()
      }
      guard let header = reader.header else { throw .notEvidence }
      return header
    }
  }

  // MARK: One session

  func run(_ files: [File]) -> EvidenceReport {
    var report = EvidenceReport(files: files.map(\.path))
    var window = ReplayWindow()
    var messages: EvidenceMessages?
    var last: (part: UInt32, chain: Digest) = (0, Digest())
    for file in files {
      do throws(EvidenceError) {
        let header = try file.header.get()
        report.header = report.header ?? header
        try compare(header)
        guard header.part != last.part else { throw .partTwice(part: header.part) }
        if header.part == last.part + 1 {
          guard header.previous == last.chain else { throw .detached(part: header.part) }
        } else {
          report.missingParts.append((last.part + 1)...(header.part - 1))
        }
        if onMessage != nil, messages == nil { messages = EvidenceMessages(header) }
        var reader = EvidenceReader(after: window)
        try read(file.path, header, &reader, &messages)
        window = reader.window
        last = (header.part, reader.chainValue)
        report.summary.add(reader.summary)
      } catch {
        report.refusal = EvidenceReport.Refusal(file: file.path, reason: error)
        return report
      }
    }
    messages?.finish()
    report.incompleteMessages = messages?.incomplete ?? 0
    return report
  }

  private func compare(_ header: EvidenceHeader) throws(EvidenceError) {
    if let player, player != header.player { throw .wrongPlayer(expected: player, found: header.player) }
    if let server, server != header.server { throw .wrongServer(expected: server, found: header.server) }
  }

  private func read(
    _ path: String, _ header: EvidenceHeader, _ reader: inout EvidenceReader, _ messages: inout EvidenceMessages?
  ) throws(EvidenceError) {
    let file = try EvidenceFile.open(path)
    var held = HeldMessages()
    while case let bytes = try file.read(), !bytes.isEmpty {
      reader.append(bytes)
      while let packet = try reader.next() {
        // Somebody has put another file in its place meanwhile.
        guard reader.header == header else { throw .unusable(reason: "it is changed while it is read") }
        for message in held.release(signed: reader.signed) { onMessage?(header, message) }
        for message in messages?.take(packet) ?? [] where !held.hold(message) { messages?.noteLost() }
      }
      for message in held.release(signed: reader.signed) { onMessage?(header, message) }
    }
    try reader.finish()
    guard reader.header == header else { throw .unusable(reason: "it is changed while it is read") }
  }
}

/// Messages that wait for the recorder's next signature: before it nobody knows that they came in this order.
private struct HeldMessages {
  private var messages: [EvidenceMessage] = []
  private var bytes = 0
  private var signed: UInt32 = 0
  /// More than an honest recorder writes between two signatures (EVIDENCE §6).
  private static let byteLimit = 32 << 20
  private static let overhead = 128

  /// - Returns: false if there are too many.
  mutating func hold(_ message: EvidenceMessage) -> Bool {
    let size = message.body.count + message.action.utf8.count + Self.overhead
    guard bytes + size <= Self.byteLimit else { return false }
    bytes += size
    messages.append(message)
    return true
  }

  /// All of them, where the recorder has signed since.
  mutating func release(signed: UInt32) -> [EvidenceMessage] {
    guard signed != self.signed else { return [] }
    self.signed = signed
    defer {
      messages = []
      bytes = 0
    }
    return messages
  }
}

extension EvidenceCheck.File {
  /// Whatever has no header comes first: it is alone.
  fileprivate var part: UInt32 { (try? header.get())?.part ?? 0 }
}
