internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// What `connect` does with its session: lines out, messages in, until the input, the session or a signal ends it.
struct Conversation: Sendable {
  private let client: Client
  private let json: Bool
  private let outbox: Outbox

  init(client: Client, delivery: Delivery, json: Bool) {
    self.client = client
    self.json = json
    outbox = Outbox(client, delivery: delivery)
  }

  /// What a line of the input is, for whoever receives it.
  private static let action = "chat"

  private var printer: EventPrinter { EventPrinter(isOn: json) }

  /// What ends a conversation.
  private enum End: Sendable {
    /// All lines were taken, and delivered if the session lasted; `skipped` of them could not be sent.
    case input(skipped: Int)
    case session(EndReason)
    case signal
  }

  func run(_ signals: Signals) async throws(Failure) {
    printer.connected(client.serverID, address: client.serverAddress)
    note("connected to \(client.serverID.short) at \(client.serverAddress)")
    let lines = LineSource(
      descriptor: STDIN_FILENO, maximumLength: RoamkeyConfiguration().maximumMessageSize - Self.action.utf8.count)
    let reader = Task { await readEvents() }
    let end = await firstEnd(lines, signals)
    var reason: EndReason
    switch end {
    case .input: reason = await closeUnlessSignalled(signals)
    case .signal: reason = await client.close(afterDelivery: false)
    case .session(let found): reason = found
    }
    // What had arrived is printed all the same.
    reason = await reader.value ?? reason
    if case .session = end {
      _ = await client.close(afterDelivery: false)
    }
    await printStatistics()
    try check(end, reason)
  }

  private func firstEnd(_ lines: LineSource, _ signals: Signals) async -> End {
    let client = client
    return await withTaskGroup(of: End?.self) { group in
      group.addTask { await sendLines(lines) }
      group.addTask {
        while let signal = await signals.next() {
          if Self.ends(signal) { return .signal }
          if signal == SIGUSR1 { await printStatistics() }
        }
        return nil
      }
      group.addTask { await client.waitUntilDisconnected().map { .session($0) } }
      var end: End?
      while end == nil, let next = await group.next() { end = next }
      group.cancelAll()
      return end ?? .signal
    }
  }

  /// Delivers what is queued; a signal is for somebody who does not want to wait for that.
  private func closeUnlessSignalled(_ signals: Signals) async -> EndReason {
    let client = client
    let closing = Task { await client.close(afterDelivery: true) }
    let watching = Task {
      while let signal = await signals.next() {
        if Self.ends(signal) { return closing.cancel() }
      }
    }
    defer { watching.cancel() }
    return await closing.value
  }

  private static func ends(_ signal: CInt) -> Bool { signal == SIGINT || signal == SIGTERM }

  // MARK: Out

  /// Nil when the session ended before the input did.
  private func sendLines(_ lines: LineSource) async -> End? {
    var skipped = 0
    while let batch = await lines.next() {
      for line in batch {
        switch line {
        case .tooLong(let number):
          skipped += 1
          let sentence = "line \(number) is longer than a message may be and was not sent: make it shorter"
          Console.note("roamkey: \(sentence)")
          printer.error(code: "tooLarge", sentence)
        case .bytes(let bytes):
          guard await send(bytes) else { return nil }
        }
      }
    }
    await outbox.waitUntilDelivered()
    return Task.isCancelled ? nil : .input(skipped: skipped)
  }

  /// False when the session has ended.
  private func send(_ bytes: [UInt8]) async -> Bool {
    // What is not text goes as it is.
    let text = String(validating: bytes, as: UTF8.self)
    return await outbox.send(text.map { Message($0, as: Self.action) } ?? Message(bytes, as: Self.action))
  }

  // MARK: In

  /// Prints what arrives, to the end of the session.
  private func readEvents() async -> EndReason? {
    defer { outbox.end() }
    for await event in client.events {
      switch event {
      case .message(let message): show(message)
      case .roamed(let from, let to):
        printer.roamed(client.id, from: from, to: to)
        note("this side roamed from \(from) to \(to)")
      case .serverRoamed(let from, let to):
        printer.roamed(client.serverID, from: from, to: to)
        note("the server roamed from \(from) to \(to)")
      case .offline:
        printer.offline(client.serverID)
        note("the server is not heard; going on as soon as it is")
      case .online:
        printer.online(client.serverID)
        note("the server is heard again")
      case .reconnected(let undelivered): await resume(undelivered)
      case .disconnected(let reason):
        printer.left(client.id, reason)
        return reason
      }
    }
    return nil
  }

  private func resume(_ undelivered: [Undelivered]) async {
    printer.connected(client.serverID, address: client.serverAddress, undelivered: undelivered.count)
    note(
      "the server was started anew; connected to \(client.serverID.short) at \(client.serverAddress) again"
        + (undelivered.isEmpty ? "" : ", lines that are said again: \(undelivered.count)"))
    for error in await outbox.resume(undelivered) {
      Console.note("roamkey: a line is not said again: \(error.description)")
      printer.error(code: "tooLarge", error.description)
    }
  }

  private func show(_ message: Message) {
    let author = message.author ?? client.serverID
    printer.message(message, from: author)
    if !json { Console.print("\(author.short)  \(Console.plain(String(decoding: message.body, as: UTF8.self)))") }
  }

  private func note(_ line: String) { if !json { Console.note(line) } }

  // MARK: The end

  private func printStatistics() async {
    let (statistics, session) = (await client.statistics(), await client.sessionStatistics())
    printer.stats(statistics, session: session)
    note(StatisticsText.line(statistics))
    if let session { note(StatisticsText.line(session)) }
  }

  private func check(_ end: End, _ reason: EndReason) throws(Failure) {
    switch end {
    case .signal: return
    case .input(let skipped):
      guard skipped == 0 else {
        throw Failure(code: "tooLarge", "lines that were too long and not sent: \(skipped)")
      }
      if reason == .closed && outbox.undelivered == 0 { return }
    case .session: break
    }
    let count = outbox.undelivered
    let sentence =
      "the session ended before all was said: \(reason.sentence)"
      + (count == 0 ? "" : "; lines that the server has not confirmed: \(count)")
    throw Failure(reason.isRefusal ? .refused : .failed, code: "disconnected", sentence)
  }
}

extension EndReason {
  /// What ended this side's session, and what to do.
  fileprivate var sentence: String {
    switch self {
    case .closed: "it was closed"
    case .kicked(let words):
      words.isEmpty ? "the host put this player out" : "the host put this player out: \(Console.plain(words))"
    case .replaced: "the same player has opened a newer session"
    case .shutdown: "the server stopped; connect again when it runs"
    case .tooSlow: "what came was not read fast enough"
    case .timedOut: "the server was not heard any more; check the network"
    case .violation(let code): "the protocol was broken (code \(code)); update both sides"
    case .notReadmitted(let error): "the server was started again, and did not let this player in (\(error))"
    }
  }

  fileprivate var isRefusal: Bool {
    switch self {
    case .kicked, .notReadmitted(.refused): true
    case .closed, .replaced, .shutdown, .tooSlow, .timedOut, .violation, .notReadmitted: false
    }
  }
}
