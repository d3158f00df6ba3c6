internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyEvidence
internal import RoamkeyUDP

/// The thread of a recorder. All that it has is its own, but for the recorder's state.
///
/// `@unchecked`: it is handed to its thread once, and nobody else touches it.
final class RecorderThread: @unchecked Sendable {
  private let recorder: Recorder
  private let folder: RecordingFolder
  private let key: PlayerKey
  private var parts: [SessionHandle: RecordedPart] = [:]
  /// Of sessions of which nothing was written yet.
  private var names: [SessionHandle: RecordedSession] = [:]
  private var batch = Recorder.Batch()
  /// Parts that have something to be written.
  private var touched: [RecordedPart] = []

  init(_ recorder: Recorder, _ folder: RecordingFolder, _ key: consuming PlayerKey) {
    self.recorder = recorder
    self.folder = folder
    self.key = key
  }

  func run() {
    var problem: RoamkeyError?
    while problem == nil {
      sleep(isPatient: false) { $0.hasWork }
      // What comes within a moment is written together, and signed for once.
      sleep(isPatient: true) { [limit = recorder.recording.bufferLimit] in $0.isUrgent || $0.batch.size > limit / 2 }
      let (exports, isStopping) = recorder.state.withLock { state in
        state.takeBatch(&batch, at: Recorder.now)
        defer { state.exports = [] }
        return (state.exports, state.isStopping)
      }
      let result = Result { () throws(RoamkeyError) in try write(isStopping: isStopping) }
      if case .failure(let error) = result { problem = error }
      for export in exports {
        let paths = problem.map { .failure($0) } ?? self.export(export.player)
        if case .failure(let error) = paths { problem = error }
        export.resume(paths)
      }
      if isStopping { break }
    }
    close(problem)
  }

  /// Waits until somebody calls, or for `pause` where there is something to do already.
  private func sleep(isPatient: Bool, unless condition: (Recorder.State) -> Bool) {
    let gate = recorder.state.withLock { state -> Gate? in
      guard !condition(state) else { return nil }
      let gate = Gate()
      state.sleeper = (gate, isPatient)
      return gate
    }
    gate?.wait(until: isPatient ? .current + recorder.recording.pause : .distantFuture)
    recorder.state.withLock { $0.sleeper = nil }
  }

  private func close(_ problem: RoamkeyError?) {
    let written = folder.written
    let exports = recorder.state.withLock { state in
      state.isClosed = true
      state.error = problem
      state.written = written
      state.counts.notRecorded += UInt64(state.batch.entries.count { $0.isPacket })
      state.batch = Recorder.Batch()
      state.missed = [:]
      state.known = []
      defer { state.exports = [] }
      return state.exports
    }
    for export in exports { export.resume(problem.map { .failure($0) } ?? .success(written.paths(of: export.player))) }
    folder.release()
    recorder.isFinished.withLock { $0 = true }
  }

  // MARK: Records

  private func write(isStopping: Bool) throws(RoamkeyError) {
    let count = UInt64(batch.entries.count { $0.isPacket })
    defer { batch.removeAll() }
    do throws(RoamkeyError) {
      try addAll()
      if isStopping { for part in parts.values { end(part, .recorderStopped, at: Recorder.now) } }
      for part in touched where part.writer.isUnsigned { part.sign(key, at: Recorder.now) }
      try flush()
    } catch {
      recorder.state.withLock { $0.counts.notRecorded += count }
      throw error
    }
    if isStopping { parts = [:] }
    recorder.state.withLock { $0.counts.recorded += count }
  }

  private func addAll() throws(RoamkeyError) {
    names.merge(batch.sessions) { first, _ in first }
    var position = 0
    for entry in batch.entries {
      switch entry.what {
      case .packet(let packet, let size):
        let part = try part(for: entry, size: size)
        let bytes = batch.bytes[position..<(position + size)]
        position += size
        bytes.withUnsafeBytes { part.add(packet, RawSpan(_unsafeBytes: $0), time: entry.time) }
        touch(part)
      case .gap(let count):
        let part = try part(for: entry, size: 0)
        part.addGap(count, time: entry.time)
        touch(part)
      case .end:
        names[entry.session] = nil
        if let part = parts.removeValue(forKey: entry.session) { end(part, .sessionEnded, at: entry.time) }
      }
    }
  }

  /// The part that a record goes to: the open one if there is room, else the next.
  private func part(for entry: Recorder.Entry, size: Int) throws(RoamkeyError) -> RecordedPart {
    let limit = recorder.recording.fileLimit
    if let part = parts[entry.session] {
      if part.isOpen, part.hasRoom(for: size, limit: limit) { return part }
      if part.isOpen { end(part, .continued, at: entry.time) }
      return try begin(part.writer.next, entry)
    }
    guard let session = names.removeValue(forKey: entry.session) else {
      preconditionFailure("a session's names come before its packets")
    }
    return try begin(EvidenceHeader(session), entry)
  }

  private func begin(_ header: EvidenceHeader, _ entry: Recorder.Entry) throws(RoamkeyError) -> RecordedPart {
    let part = RecordedPart(header, name: RecordingFolder.name(of: header, at: entry.time))
    parts[entry.session] = part
    return part
  }

  private func end(_ part: RecordedPart, _ what: EvidenceEnd, at time: UInt64) {
    guard part.isOpen else { return }
    part.end(what, key, at: time)
    touch(part)
  }

  private func touch(_ part: RecordedPart) {
    guard !part.isTouched else { return }
    part.isTouched = true
    touched.append(part)
  }

  // MARK: Files

  private func flush() throws(RoamkeyError) {
    defer { touched.removeAll(keepingCapacity: true) }
    var rest = touched[...]
    while !rest.isEmpty {
      // Not for all at once: one who fills a folder within a second would push out everybody else's files first.
      var bytes = 0
      let group = rest.prefix { part in
        guard bytes == 0 || bytes + part.pending.count <= recorder.recording.folderLimit / 8 else { return false }
        bytes += part.pending.count
        return true
      }
      rest = rest.dropFirst(group.count)
      makeRoom(for: bytes, parts: group.count)
      for part in group {
        part.isTouched = false
        try folder.write(part)
      }
    }
    // It was more than the folder may have at all.
    makeRoom(for: 0, parts: 0)
  }

  private func makeRoom(for bytes: Int, parts: Int) {
    let gone = folder.makeRoom(for: bytes, parts: parts)
    guard !gone.isEmpty else { return }
    for file in gone {
      // It was open, and nothing else was left to go.
      if let part = file.part, part.isOpen { part.end(.continued, key, at: Recorder.now) }
    }
    recorder.state.withLock { $0.counts.filesRemoved += UInt64(gone.count) }
  }

  private func export(_ player: PlayerID?) -> Result<[String], RoamkeyError> {
    Result { () throws(RoamkeyError) in
      for part in parts.values where part.isOpen && (player == nil || part.writer.header.player == player) {
        end(part, .continued, at: Recorder.now)
      }
      try flush()
      return folder.written.paths(of: player)
    }
  }
}

extension Recorder.Entry {
  fileprivate var isPacket: Bool { if case .packet = what { true } else { false } }
}

extension EvidenceHeader {
  /// Of the first part.
  fileprivate init(_ session: RecordedSession) {
    let context = session.context
    self.init(
      application: context.application, server: context.responder, player: context.initiator,
      recorder: session.direction == .initiatorToResponder ? .server : .player, handshakeHash: context.handshakeHash)
  }
}
