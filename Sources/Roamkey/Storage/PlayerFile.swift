internal import Glibc
internal import RoamkeyCBOR
internal import RoamkeyCrypto
internal import RoamkeyUDP

/// The file of a `PlayerStorage`: a CBOR dictionary `{"roamkey": "players/1", "players": [[key, record], ...]}`, the
/// longest gone first; where records were handed over also `"handovers": [[old, new], ...]`, oldest first.
final class PlayerFile<Record: Sendable>: Sendable {
  private struct State: Sendable {
    /// The number of changes that are in the file.
    var written: UInt64?
    /// A write is to come by itself.
    var isScheduled = false
    var problem: PlayerStorageError?
  }

  let path: String
  private let state = Locked(State())
  /// Held while the file is written, so that an older state never replaces a newer one.
  private let writing = Locked(())
  private let encode: @Sendable (Record) throws -> Value
  private let decode: @Sendable (Value) throws -> Record

  /// How long changes gather before they are written.
  private static var pause: Duration { .seconds(1) }
  private static var kind: Value { "players/1" }
  /// More than any game has of players, in bytes; what is larger is neither written nor read.
  static var maximumSize: Int { 1 << 30 }
  private let sizeLimit: Int

  init(_ path: String, sizeLimit: Int = PlayerFile.maximumSize) where Record: Codable {
    self.path = path
    self.sizeLimit = sizeLimit
    encode = { try Value(encoding: $0) }
    decode = { try $0.decode(Record.self) }
  }

  var problem: PlayerStorageError? { state.withLock { $0.problem } }

  // MARK: Reading

  /// What a file holds, in order.
  struct Contents {
    var records: [(PlayerID, Record)] = []
    var handovers: [(old: PlayerID, new: PlayerID)] = []
  }

  /// What is in the file, the longest gone first; nothing where there is none.
  func read() throws(PlayerStorageError) -> Contents {
    state.withLock { $0.written = 0 }
    guard let bytes = try contents() else { return Contents() }
    let whole: Value
    do throws(CBORError) {
      whole = try Value(cbor: bytes)
    } catch {
      throw .damaged(path: path, reason: "\(error)")
    }
    guard whole["roamkey"] == Self.kind, let entries = whole["players"]?.list else {
      throw .damaged(path: path, reason: "it does not say that it is one")
    }
    var result = Contents()
    result.records.reserveCapacity(entries.count)
    for (place, entry) in entries.enumerated() {
      guard let player = Self.player(entry[0]), let value = entry[1] else {
        throw .damaged(path: path, reason: "entry \(place) is no player")
      }
      do {
        result.records.append((player, try decode(value)))
      } catch {
        throw .otherRecords(path: path, reason: "entry \(place): \(error)")
      }
    }
    for pair in whole["handovers"]?.list ?? [] {
      guard let old = Self.player(pair[0]), let new = Self.player(pair[1]) else {
        throw .damaged(path: path, reason: "a hand-over is none")
      }
      result.handovers.append((old, new))
    }
    // Reading counts as that many changes.
    let changes = UInt64(result.records.count)
    state.withLock { $0.written = changes }
    return result
  }

  private static func player(_ value: Value?) -> PlayerID? {
    guard let key = value?.bytes, key.count == Digest.size else { return nil }
    return PlayerID(publicKey: Digest(key))
  }

  /// Nil where there is no file.
  private func contents() throws(PlayerStorageError) -> [UInt8]? {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw .unusable(path: path, reason: "no usable path") }
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    if descriptor < 0 && errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw .unusable(path: path, reason: Self.words(errno)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unusable(path: path, reason: Self.words(errno)) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unusable(path: path, reason: "it is no regular file") }
    guard status.st_size <= sizeLimit else { throw .tooLarge(path: path, limit: sizeLimit) }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var total = 0
    while total < bytes.count {
      let space = bytes.count - total
      let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + total, space) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .unusable(path: path, reason: Self.words(errno)) }
      guard count > 0 else { throw .damaged(path: path, reason: "it became shorter while it was read") }
      total += count
    }
    return bytes
  }

  // MARK: Writing

  /// Writes what is on the shelf by then, in a moment.
  func changed(_ shelf: Locked<PlayerShelf<Record>>) {
    let isFirst = state.withLock { state in
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    guard isFirst else { return }
    Task.detached { [weak self] in
      try? await Task.sleep(for: Self.pause)
      // Who lets the storage go has it written at once.
      guard let self else { return }
      state.withLock { $0.isScheduled = false }
      try? write(shelf)
    }
  }

  /// Writes what has changed.
  func write(_ shelf: Locked<PlayerShelf<Record>>) throws(PlayerStorageError) {
    let result = writing.withLock { _ in
      Result { () throws(PlayerStorageError) in
        let copy = shelf.withLock { $0 }
        guard state.withLock({ $0.written != copy.changes }) else { return }
        let bytes = try bytes(of: copy)
        // What could not be read again must not take the place of what can.
        guard bytes.count <= sizeLimit else { throw .tooLarge(path: path, limit: sizeLimit) }
        try KeyFileWriter.replace(path, with: bytes, onError: { .unusable(path: path, reason: $0) })
        state.withLock { $0.written = copy.changes }
      }
    }
    state.withLock { state in
      switch result {
      case .success: state.problem = nil
      case .failure(let error): state.problem = error
      }
    }
    try result.get()
  }

  private func bytes(of shelf: PlayerShelf<Record>) throws(PlayerStorageError) -> [UInt8] {
    do {
      let entries = try shelf.inOrder.map { player, record in
        Value.list([.bytes(player.publicKey.bytes), try encode(record)])
      }
      guard !shelf.givenUp.isEmpty else {
        return try (["roamkey": Self.kind, "players": .list(entries)] as Value).cbor()
      }
      let handovers = shelf.givenUp.map {
        Value.list([.bytes($0.old.publicKey.bytes), .bytes($0.new.publicKey.bytes)])
      }
      let whole: Value = ["roamkey": Self.kind, "players": .list(entries), "handovers": .list(handovers)]
      return try whole.cbor()
    } catch {
      throw .notEncodable(path: path, reason: "\(error)")
    }
  }

  private static func words(_ number: Int32) -> String { String(cString: strerror(number)) }
}

extension KeyFileWriter {
  /// The same with an error of the caller's.
  fileprivate static func replace(
    _ path: String, with bytes: [UInt8], onError: (String) -> PlayerStorageError
  ) throws(PlayerStorageError) {
    do throws(KeyFileError) {
      try replace(path, with: bytes)
    } catch {
      throw onError(error.detail.isEmpty ? "\(error)" : error.detail)
    }
  }
}
