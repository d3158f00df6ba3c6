internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// A picker on the terminal: what somebody there presses and what the network says go in, until one of the servers is
/// chosen or none.
struct PickerSession {
  /// What is looked for; nil for any application.
  let application: String?
  let known: KnownServers

  /// Signals that mean something only while a picture stands: another size, and being stopped for a while.
  private static let signals = [SIGWINCH, SIGTSTP]

  /// Between one list and the next: no eye is faster, and a neighbour that says something else each moment costs no
  /// more than this. Of the lists between, the browser forgets all but the newest.
  private static let listPause = Duration.milliseconds(50)

  /// - Returns: the server to connect to; nil if whoever sits there wants none of them.
  func run(_ signals: Signals) async throws(Failure) -> FoundServer? {
    let browser: ServerBrowser
    do throws(RoamkeyError) {
      browser = try ServerBrowser(for: application)
    } catch {
      throw Failure(error)
    }
    defer { browser.stop() }
    // Who has been told to let signals of the terminal be (a shell without job control does so) cannot be woken again.
    let canPause = !Signals.isIgnored(SIGTSTP)
    let watched = Self.signals.filter { $0 != SIGTSTP || canPause }
    signals.watch(watched)
    defer { signals.unwatch(watched) }
    guard Terminal.open() else {
      throw Failure(code: "terminal", "the terminal cannot be used (\(TextFile.systemWords())): say where to connect")
    }
    defer { Terminal.close() }
    let inbox = Monitor(PickerInbox())
    let keys = KeyReader { key in inbox.withLock { $0.add(key: key) } }
    let feeding = Task {
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          for await servers in browser.changes {
            inbox.withLock { $0.add(servers: servers) }
            try? await Task.sleep(for: Self.listPause)
          }
        }
        group.addTask { while let signal = await signals.next() { inbox.withLock { $0.add(signal: signal) } } }
      }
    }
    let outcome = await follow(inbox, keys, canPause: canPause)
    feeding.cancel()
    await feeding.value
    await keys.stop()
    // A signal may have come at the same moment as the choice; it was meant for the whole command.
    let late = inbox.withLock { $0.hasEnd }
    switch outcome {
    case .chosen(let server): return late ? nil : server
    case .left: return nil
    }
  }

  private func follow(_ inbox: Monitor<PickerInbox>, _ keys: KeyReader, canPause: Bool) async -> Picker.Outcome {
    var picker = Picker(application: application, size: Terminal.size)
    // Read once, however often the list changes: whichever is chosen is looked up anew.
    var acquaintances = known.acquaintances()
    while true {
      Terminal.draw(picker.screen, size: picker.size)
      await inbox.wait { !$0.isEmpty }
      guard let input = inbox.withLock({ $0.takeFirst() }) else { continue }
      switch input {
      case .key(.suspend), .signal(SIGTSTP):
        if canPause {
          guard pause(&picker) else { return .left }
          // Somebody may have mended the file meanwhile.
          acquaintances = known.acquaintances()
          picker.update(picker.servers, acquaintances: acquaintances.of(picker.servers))
        }
        if case .key = input { keys.next() }
      case .key(let key):
        if let outcome = picker.press(key) { return outcome }
        keys.next()
      case .servers(let servers): picker.update(servers, acquaintances: acquaintances.of(servers))
      case .signal(SIGWINCH): picker.resize(Terminal.size)
      case .signal(let number):
        if PickerInbox.ends(number) { return .left }
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
