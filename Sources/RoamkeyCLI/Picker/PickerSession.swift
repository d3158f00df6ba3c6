internal import Glibc
internal import Roamkey

/// A picker on the terminal: what somebody there presses and what the network says go in, until one of the servers is
/// chosen or none.
struct PickerSession {
  /// What is looked for; nil for any application.
  let application: String?
  let known: KnownServers

  private enum Input: Sendable {
    case key(Key)
    case servers([FoundServer])
    case signal(CInt)
    /// The terminal has gone.
    case end
  }

  /// Signals that mean something only while a picture stands: another size, and being stopped for a while.
  private static let signals = [SIGWINCH, SIGTSTP]

  /// - Returns: the server to connect to; nil if whoever sits there wants none of them.
  func run(_ signals: Signals) async throws(Failure) -> FoundServer? {
    let browser: ServerBrowser
    do throws(RoamkeyError) {
      browser = try ServerBrowser(for: application)
    } catch {
      throw Failure(error)
    }
    defer { browser.stop() }
    signals.watch(Self.signals)
    defer { signals.unwatch(Self.signals) }
    guard Terminal.open() else {
      throw Failure(code: "terminal", "the terminal cannot be used (\(TextFile.systemWords())): say where to connect")
    }
    defer { Terminal.close() }
    let inbox = Monitor<[Input]>([])
    let keys = KeyReader { key in inbox.withLock { $0.append(key.map { .key($0) } ?? .end) } }
    let feeding = Task {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { for await servers in browser.changes { inbox.withLock { $0.append(.servers(servers)) } } }
        group.addTask { while let signal = await signals.next() { inbox.withLock { $0.append(.signal(signal)) } } }
      }
    }
    let outcome = await follow(inbox, keys)
    feeding.cancel()
    await feeding.value
    await keys.stop()
    // A signal may have come at the same moment as the choice; it was meant for the whole command.
    let late = inbox.withLock { $0.contains { if case .signal(let number) = $0 { Self.ends(number) } else { false } } }
    switch outcome {
    case .chosen(let server): return late ? nil : server
    case .left: return nil
    }
  }

  private static func ends(_ signal: CInt) -> Bool { signal == SIGINT || signal == SIGTERM }

  private func follow(_ inbox: Monitor<[Input]>, _ keys: KeyReader) async -> Picker.Outcome {
    var picker = Picker(application: application, size: Terminal.size)
    while true {
      Terminal.draw(picker.screen, size: picker.size)
      await inbox.wait { !$0.isEmpty }
      guard let input = inbox.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
      switch input {
      case .key(.suspend):
        guard pause(&picker) else { return .left }
        keys.next()
      case .key(let key):
        if let outcome = picker.press(key) { return outcome }
        keys.next()
      case .servers(let servers):
        picker.update(servers, acquaintances: known.acquaintances(with: servers))
      case .signal(SIGWINCH): picker.resize(Terminal.size)
      case .signal(SIGTSTP): guard pause(&picker) else { return .left }
      case .signal(let number):
        if Self.ends(number) { return .left }
      case .end: return .left
      }
    }
  }

  /// Stops the process, with the terminal as it was, until somebody lets it go on.
  /// - Returns: whether the terminal could be taken again.
  private func pause(_ picker: inout Picker) -> Bool {
    Terminal.close()
    raise(SIGSTOP)
    guard Terminal.open() else { return false }
    picker.resize(Terminal.size)
    return true
  }
}
