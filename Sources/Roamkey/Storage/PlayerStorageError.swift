internal import RoamkeyCrypto

/// Why what is stored of players could not be read or written: one sentence that names the file and says what to do.
public enum PlayerStorageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// It is no whole file of a ``PlayerStorage``, and why not; it was left as it is.
  case damaged(path: String, reason: String)
  /// It is one, but of something else than these records, and why; it was left as it is.
  case otherRecords(path: String, reason: String)
  /// A record cannot be written down, and why; the file is as it was.
  case notEncodable(path: String, reason: String)
  /// It has more bytes than a file of players may have, or would have with what is to be written: what is in it stays.
  case tooLarge(path: String, limit: Int)
  /// The system refused to read or write it, in its own words.
  case unusable(path: String, reason: String)

  public var description: String {
    switch self {
    case .damaged(let path, let reason):
      "\(KeyFileError.shown(path)) is damaged, or no file of players (\(reason)): restore it from a copy, or move it "
        + "away to begin anew"
    case .otherRecords(let path, let reason):
      "\(KeyFileError.shown(path)) has other records than these (\(reason)): give each kind a file of its own, and "
        + "make properties optional that are added later"
    case .notEncodable(let path, let reason):
      "a record cannot be written to \(KeyFileError.shown(path)) (\(reason)): the file is as it was"
    case .tooLarge(let path, let limit):
      "\(KeyFileError.shown(path)) has more than \(limit) bytes, or would have (the file is as it was): keep "
        + "less of each player, or remember fewer of them"
    case .unusable(let path, let reason):
      "\(KeyFileError.shown(path)) cannot be used (\(reason)): check the directory and its permissions"
    }
  }
}
