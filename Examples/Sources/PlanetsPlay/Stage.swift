import Glibc
import PlanetsTerminal
import RoamkeyTerminal

/// The terminal while somebody plays: keys in, pictures out, 25 times a second.
final class Stage {
  /// What has come since the last frame.
  struct Input {
    var keys: [Key]
    var size: TerminalSize
    /// Seconds since the stage was opened.
    var time: Double
    /// Somebody or something wants the program to end.
    var isEnding: Bool
  }

  private static let frame = Duration.milliseconds(40)
  /// SIGHUP as well: who plays leaves the game properly when the window is closed.
  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGTSTP]

  private let clock = SuspendingClock()
  /// The moment at which its time is 0.
  let start: SuspendingClock.Instant
  private var next: SuspendingClock.Instant
  private let keys: KeyQueue
  private let signals: Signals
  private let canPause = !Signals.isIgnored(SIGTSTP)
  private var writer: FrameWriter
  private var isEnding = false

  /// Takes the terminal.
  /// - Throws: where there is none, or the system does not give it.
  init(depth: ColourDepth) throws(Failure) {
    guard Terminal.isThere else {
      throw Failure(code: "terminal", "this is played on a terminal; `planets --help` says what else there is")
    }
    signals = Signals(Self.signals.filter { !Signals.isIgnored($0) })
    guard Terminal.open(mouse: true) else { throw Failure(code: "terminal", "the terminal cannot be used") }
    writer = FrameWriter(depth: depth)
    keys = KeyQueue()
    start = clock.now
    next = start
  }

  /// Gives it back.
  func close() async {
    Terminal.close()
    await keys.stop()
  }

  var time: Double { (clock.now - start) / .seconds(1) }

  /// Waits for the next frame, and tells what has come meanwhile.
  func nextFrame() async -> Input {
    next = max(next + Self.frame, clock.now)
    try? await clock.sleep(until: next, tolerance: .milliseconds(2))
    var pressed = keys.take()
    for signal in signals.take() {
      if signal == SIGTSTP { pause() } else { isEnding = true }
    }
    if pressed.contains(.suspend) {
      pressed.removeAll { $0 == .suspend }
      pause()
    }
    // Gone for good: nobody is there to be asked.
    if keys.isAtEnd { isEnding = true }
    return Input(keys: pressed, size: Terminal.size, time: time, isEnding: isEnding)
  }

  func show(_ canvas: Canvas) {
    let bytes = writer.bytes(for: canvas)
    if !bytes.isEmpty { Terminal.write(bytes) }
  }

  /// Stops the process, with the terminal as it was, until somebody lets it go on. The network goes on by itself.
  private func pause() {
    guard canPause else { return }
    Terminal.close()
    raise(SIGSTOP)
    if !Terminal.open(mouse: true) { isEnding = true }
    writer.forget()
  }
}
