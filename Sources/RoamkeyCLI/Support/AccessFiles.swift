internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// The lists of who may join and who may not, and when they are to be read again.
///
/// The files are looked at by their paths, once a second: whatever an editor, a link or a mounted folder does shows
/// there, and a watch on a file would end with the file (docs/decisions/0037-key-care.md). A list is read when it was
/// the same for two looks, so that nobody is put out by one that is half written. What is no file, as `<(command)` of a
/// shell, is read once: there is nothing more in it.
struct AccessFiles {
  /// What both lists say.
  struct Lists: Equatable {
    var allowed: Set<PlayerID>?
    var denied: Set<PlayerID> = []
  }

  /// What came of a look.
  enum Outcome: Equatable {
    /// Others are in force from now on.
    case changed(Lists)
    /// They say what they said before.
    case same
    /// They cannot be read, in a sentence; those before stay.
    case failed(String)
  }

  /// Which file a path leads to, and in which state; nil where there is none.
  struct Stamp: Equatable {
    private let device: dev_t, inode: ino_t, size: off_t
    private let changed: [Int]
    /// Neither a pipe, which would be empty the next time, nor a directory or a device.
    let isFile: Bool

    init?(_ path: String) {
      var status = stat()
      // Through links: it is the list that counts, not the way to it.
      guard stat(path, &status) == 0 else { return nil }
      (device, inode, size) = (status.st_dev, status.st_ino, status.st_size)
      isFile = status.st_mode & S_IFMT == S_IFREG
      // The second one cannot be set back by who replaces a file by an older one.
      changed = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
  }

  /// Between two looks.
  static let pause = Duration.seconds(1)

  let allow: String?
  let deny: String?
  /// Those that are looked at.
  private let files: Set<String>
  /// What is in force.
  private(set) var lists = Lists()
  private var seen: [Stamp?] = []
  /// As they were when they were read, or when that failed; nil where another look is needed.
  private var read: [Stamp?]?
  /// What went wrong last, and was told.
  private var problem: String?

  /// Reads both.
  init(allow: String?, deny: String?) throws(Failure) {
    (self.allow, self.deny) = (allow, deny)
    files = Set([allow, deny].compactMap { $0 }.filter { Stamp($0)?.isFile ?? true })
    lists = Lists(
      allowed: try allow.map { path throws(Failure) in try PlayerList.load(path) },
      denied: try deny.map { path throws(Failure) in try PlayerList.load(path) } ?? [])
  }

  /// Whether there is anything to look at.
  var isEmpty: Bool { files.isEmpty }

  /// A look at the files: nil where there is nothing to do.
  mutating func look() -> Outcome? {
    let now = stamps
    defer { seen = now }
    guard now == seen, now != read else { return nil }
    read = now
    let told = problem
    switch reload() {
    case .same where told == nil: return nil
    case .failed(let sentence) where told == sentence: return nil
    case let outcome: return outcome
    }
  }

  /// Reads both, whatever they look like: somebody asked for it.
  mutating func readAgain() -> Outcome {
    // Just written, a file may be changed once more without a trace: time is told in steps of some milliseconds.
    read = nil
    return reload()
  }

  private mutating func reload() -> Outcome {
    do throws(Failure) {
      let before = stamps
      let new = try load()
      guard stamps == before else { throw Failure(code: "file", "a list was changed while it was read") }
      problem = nil
      guard new != lists else { return .same }
      lists = new
      return .changed(new)
    } catch {
      problem = error.sentence
      return .failed(error.sentence)
    }
  }

  private var stamps: [Stamp?] { files.sorted().map { Stamp($0) } }

  private func load() throws(Failure) -> Lists {
    Lists(allowed: try load(allow, before: lists.allowed), denied: try load(deny, before: lists.denied) ?? [])
  }

  private func load(_ path: String?, before: Set<PlayerID>?) throws(Failure) -> Set<PlayerID>? {
    guard let path, files.contains(path) else { return before }
    // Nobody waits for a pipe that has come in the place of the list.
    guard Stamp(path)?.isFile ?? true else {
      throw Failure(code: "file", "\(Console.plain(path)) is no file: put the list there")
    }
    return try PlayerList.load(path)
  }
}
