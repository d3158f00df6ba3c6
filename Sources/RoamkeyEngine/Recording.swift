/// Where a server or client keeps what it receives, as evidence that can be checked without it (docs/EVIDENCE.md).
///
/// Off unless an app asks for it, since it is private: what players said lies on the disk, readable by whoever has the
/// files, for as long as they are there. Tell the players. The files have mode 0600, in a folder of 0700.
///
/// Each session has files of its own, *parts*. Only what the other side has signed is kept, so there must be
/// signatures: with `sealedOnly` nothing can be recorded.
public struct Recording: Sendable, Hashable {
  /// Made where it is missing. One server or client at a time has it. In it only files that this key has recorded are
  /// ever removed.
  public var folder: String
  /// When a part has so many bytes it is closed, and another one begun. Less than 64 KiB counts as that.
  public var maximumFileSize = 16 << 20
  /// When all parts together have more bytes some are removed: the oldest of whoever has sent the most, so that nobody
  /// gets rid of what others have said by saying much. What is old enough goes all the same, so take in time what is
  /// to last (`exportEvidence`). Each counts for 4 KiB at least. Less than twice the size of a file counts as that.
  public var maximumFolderSize = 256 << 20

  /// What may wait to be written, in bytes: a second of a thousand busy players. Beyond that packets are left out, and
  /// counted, since a game does not wait for a disk.
  package var bufferLimit = 8 << 20
  /// How long what came is gathered until it is written and signed for: so much of it is lost if the process is killed.
  package var pause = Duration.seconds(1)

  /// - Parameter folder: where the parts go.
  public init(folder: String) { self.folder = folder }

  /// What the sizes mean in fact.
  package var fileLimit: Int { max(maximumFileSize, 64 << 10) }
  package var folderLimit: Int { max(maximumFolderSize, 2 * min(fileLimit, 1 << 40)) }
}
