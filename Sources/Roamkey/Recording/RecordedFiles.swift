internal import DequeModule
internal import RoamkeyCrypto
internal import RoamkeyEvidence

/// A file of a folder of recordings.
final class RecordedFile {
  let name: String
  fileprivate(set) var size: Int
  /// Whose packets lie in it.
  let sender: PlayerID
  let player: PlayerID
  let session: String
  /// What is written to it now; nil where nothing is any more.
  private(set) weak var part: RecordedPart?
  /// Whether this recorder has written it, and not one before.
  let isOwn: Bool
  fileprivate(set) var isGone = false
  /// The first is the oldest.
  fileprivate var place = 0

  /// - Parameter part: what is written to it; nil for a file that was there before.
  init(name: String, size: Int, header: EvidenceHeader, part: RecordedPart?) {
    self.name = name
    self.size = size
    self.part = part
    sender = header.sender
    player = header.player
    session = header.session
    isOwn = part != nil
  }

  static let block = 4096
  /// What it takes of the limit: a block of the disk at least.
  var cost: Int { max(size, Self.block) }
  var isOpen: Bool { part?.isOpen ?? false }
}

/// All files of a folder: which go where there is no room.
///
/// It is the oldest one of whoever has sent the most: by sending much nobody gets rid of what others have said, only of
/// what he has said himself before. What is written to now stays for as long as anything else can go.
struct RecordedFiles {
  private struct Holder {
    /// The oldest first.
    var files = Deque<RecordedFile>()
    var cost = 0
  }

  private var holders: [PlayerID: Holder] = [:]
  private var added = 0
  /// Of all files.
  private(set) var cost = 0

  /// A file that is younger than all others.
  mutating func add(_ file: RecordedFile) {
    file.place = added
    added += 1
    cost += file.cost
    holders[file.sender, default: Holder()].files.append(file)
    holders[file.sender]?.cost += file.cost
  }

  mutating func grow(_ file: RecordedFile, by bytes: Int) {
    let before = file.cost
    file.size += bytes
    cost += file.cost - before
    holders[file.sender]?.cost += file.cost - before
  }

  /// Those that this recorder has written, the oldest first.
  var written: [RecordedFile] {
    holders.values.flatMap { $0.files.filter(\.isOwn) }.sorted { $0.place < $1.place }
  }

  /// Takes files out until so many bytes fit.
  /// - Returns: them.
  mutating func makeRoom(for bytes: Int, limit: Int) -> [RecordedFile] {
    let gone = take(until: limit - bytes) { !$0.isOpen }
    return gone + take(until: limit - bytes) { _ in true }
  }

  /// Who would lose a file.
  private struct Candidate {
    var player: PlayerID
    var cost: Int
    /// How old its oldest file is.
    var place: Int

    static func < (a: Self, b: Self) -> Bool { (a.cost, b.place) < (b.cost, a.place) }
  }

  private mutating func take(until rest: Int, _ mayGo: (RecordedFile) -> Bool) -> [RecordedFile] {
    guard cost > rest else { return [] }
    // Whoever has the most stands last.
    var order = holders.keys.compactMap { candidate($0, mayGo) }.sorted(by: <)
    var gone: [RecordedFile] = []
    while cost > rest, let most = order.popLast() {
      guard let file = remove(from: most.player, mayGo) else { continue }
      gone.append(file)
      guard let left = candidate(most.player, mayGo) else { continue }
      var (low, high) = (0, order.count)
      while low < high {
        let middle = (low + high) / 2
        if order[middle] < left { low = middle + 1 } else { high = middle }
      }
      order.insert(left, at: low)
    }
    return gone
  }

  private func candidate(_ player: PlayerID, _ mayGo: (RecordedFile) -> Bool) -> Candidate? {
    guard let holder = holders[player], let file = holder.files.first(where: mayGo) else { return nil }
    return Candidate(player: player, cost: holder.cost, place: file.place)
  }

  private mutating func remove(from player: PlayerID, _ mayGo: (RecordedFile) -> Bool) -> RecordedFile? {
    guard let index = holders[player]?.files.firstIndex(where: mayGo),
      let file = holders[player]?.files.remove(at: index)
    else { return nil }
    holders[player]?.cost -= file.cost
    if holders[player]?.files.isEmpty == true { holders[player] = nil }
    cost -= file.cost
    file.isGone = true
    return file
  }
}
