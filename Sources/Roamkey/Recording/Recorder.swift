internal import Glibc
internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyUDP

/// Keeps what sessions receive (docs/EVIDENCE.md):
///
///   1. a loop copies a packet into the batch that is being gathered, or counts it as missed where that is full
///   2. the recorder's own thread takes the batch, once a second or when it is half full     RecorderThread
///   3. packets become records of their session's part, and the recorder signs for them      EvidenceWriter
///   4. parts are written, closed and begun, and the oldest removed                          RecordingFolder
///
/// No loop ever waits for the disk. When the disk refuses, recording stops, the app can find out, and the game goes on.
final class Recorder: PacketRecorder, Sendable {
  /// What was received of one session, in order.
  struct Entry: Sendable {
    enum What: Sendable {
      case packet(SignedPacket, size: Int)
      case gap(UInt64)
      case end
    }
    var session: SessionHandle
    /// Microseconds since 1970.
    var time: UInt64
    var what: What
  }

  /// What waits to be written.
  struct Batch: Sendable {
    var entries: [Entry] = []
    /// The plaintexts, one behind the other.
    var bytes: [UInt8] = []
    /// Sessions of which something came for the first time.
    var sessions: [SessionHandle: RecordedSession] = [:]

    var size: Int { bytes.count + entries.count * MemoryLayout<Entry>.stride }

    mutating func removeAll() {
      entries.removeAll(keepingCapacity: true)
      bytes.removeAll(keepingCapacity: true)
      sessions.removeAll()
    }
  }

  /// Somebody wants the files of a player, or all.
  struct Export: Sendable {
    var player: PlayerID?
    var resume: @Sendable (Result<[String], RoamkeyError>) -> Void
  }

  /// A file that was written here.
  struct Written: Sendable {
    var path: String
    var player: PlayerID
    var session: String
  }

  /// What there is to tell of it.
  struct Counts: Sendable {
    var recorded: UInt64 = 0
    var notRecorded: UInt64 = 0
    var filesRemoved: UInt64 = 0
  }

  struct State: Sendable {
    var batch = Batch()
    /// Sessions that the recorder's thread knows, or will know with this batch.
    var known: Set<SessionHandle> = []
    /// Packets that found no room, until there is some.
    var missed: [SessionHandle: UInt64] = [:]
    var exports: [Export] = []
    var isStopping = false
    /// Nothing is taken any more: it was stopped, or has failed.
    var isClosed = false
    var error: RoamkeyError?
    /// What there is, once it is closed.
    var written: [Written] = []
    var counts = Counts()
    /// The recorder's thread sleeps, until there is anything to do or until it is urgent.
    var sleeper: (gate: Gate, isPatient: Bool)?

    var isUrgent: Bool { isStopping || !exports.isEmpty }
    var hasWork: Bool { isUrgent || !batch.entries.isEmpty }
  }

  let state = Locked(State())
  let isFinished = Monitor(false)
  let recording: Recording

  /// - Throws: where the folder cannot be used.
  init(_ recording: Recording, key: consuming PlayerKey) throws(RoamkeyError) {
    self.recording = recording
    let folder = try RecordingFolder(recording, recorder: key.id)
    let thread = RecorderThread(self, folder, key)
    guard startOwnThread({ thread.run() }) else {
      throw RoamkeyError(.cannotRecord, "what is received cannot be recorded: the system gives no more threads")
    }
  }

  // MARK: The loops' side

  func record(_ packet: SignedPacket, _ plaintext: RawSpan, of session: RecordedSession) {
    let entry = Entry(
      session: session.handle, time: Self.now, what: .packet(packet, size: plaintext.byteCount))
    let gate = plaintext.withUnsafeBytes { bytes in
      state.withLock { state -> Gate? in
        // Once it stops, the end that it writes is the end.
        guard !state.isClosed, !state.isStopping else {
          state.counts.notRecorded += 1
          return nil
        }
        if state.known.insert(session.handle).inserted { state.batch.sessions[session.handle] = session }
        guard state.batch.size + bytes.count <= recording.bufferLimit else {
          state.counts.notRecorded += 1
          state.missed[session.handle, default: 0] += 1
          return nil
        }
        if !state.missed.isEmpty { state.fillGap(of: session.handle, at: entry.time) }
        state.batch.bytes.append(contentsOf: bytes)
        state.batch.entries.append(entry)
        return state.wake(isUrgent: state.batch.size > recording.bufferLimit / 2)
      }
    }
    gate?.open()
  }

  func ended(_ session: SessionHandle) {
    let time = Self.now
    let gate = state.withLock { state -> Gate? in
      guard !state.isClosed, state.known.remove(session) != nil else { return nil }
      state.fillGap(of: session, at: time)
      state.batch.entries.append(Entry(session: session, time: time, what: .end))
      return state.wake(isUrgent: false)
    }
    gate?.open()
  }

  // MARK: The app's side

  /// Why it has stopped; nil while it records.
  var error: RoamkeyError? { state.withLock { $0.error } }

  /// Packets that were written, and that were not; files that had to go.
  var counts: Counts { state.withLock { $0.counts } }

  /// Closes the parts of a player's session, or of all, and tells where they are.
  func export(_ player: PlayerID?) async throws(RoamkeyError) -> [String] {
    let result = await withCheckedContinuation { continuation in
      let export = Export(player: player) { continuation.resume(returning: $0) }
      let (gate, answer) = state.withLock { state -> (Gate?, Result<[String], RoamkeyError>?) in
        guard !state.isClosed else { return (nil, state.answer(to: player)) }
        state.exports.append(export)
        return (state.wake(isUrgent: true), nil)
      }
      gate?.open()
      if let answer { continuation.resume(returning: answer) }
    }
    return try result.get()
  }

  /// Writes what waits, closes all parts and stops, soon.
  func stop() {
    state.withLock { state -> Gate? in
      state.isStopping = true
      return state.wake(isUrgent: true)
    }?.open()
  }

  /// The same; returns when it is done.
  func finish() async {
    stop()
    // Also where this task was cancelled: the folder is free afterwards.
    await Task { [isFinished] in await isFinished.wait { $0 } }.value
  }

  /// The clock of the day.
  static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000 &+ UInt64(clamping: time.tv_nsec / 1000)
  }
}

extension [Recorder.Written] {
  /// The files of a player's last session, or all.
  func paths(of player: PlayerID?) -> [String] {
    guard let player else { return map(\.path) }
    let session = last { $0.player == player }?.session
    return filter { $0.session == session && $0.player == player }.map(\.path)
  }
}

extension Recorder.State {
  /// What is said to somebody who asks once it is closed.
  func answer(to player: PlayerID?) -> Result<[String], RoamkeyError> {
    error.map { .failure($0) } ?? .success(written.paths(of: player))
  }

  /// Takes out what waits to be written; what found no room stands at its end, so that no record of an end comes before
  /// it.
  mutating func takeBatch(_ other: inout Recorder.Batch, at time: UInt64) {
    for session in Array(missed.keys) { fillGap(of: session, at: time) }
    swap(&batch, &other)
  }

  /// There is room again: what found none is told first.
  fileprivate mutating func fillGap(of session: SessionHandle, at time: UInt64) {
    guard let count = missed.removeValue(forKey: session) else { return }
    batch.entries.append(Recorder.Entry(session: session, time: time, what: .gap(count)))
  }

  /// - Returns: what has to be opened, outside of the lock, so that the recorder's thread comes.
  fileprivate mutating func wake(isUrgent: Bool) -> Gate? {
    guard let sleeper, isUrgent || !sleeper.isPatient else { return nil }
    self.sleeper = nil
    return sleeper.gate
  }
}
