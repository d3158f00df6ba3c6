extension Server {
  /// Where a server keeps its instance id: 32 random bytes, the same from run to run, by which its players know after a
  /// restart that it is the same server at the same place, and connect anew at once. Without them they notice by
  /// silence, and their sessions end after `offlineLimit`.
  ///
  /// The file is made where it is missing (mode 0600), never overwritten, and locked for as long as the server runs: of
  /// two servers with one key only one has it, since each could end the other's sessions otherwise. Its bytes are no
  /// secret. To move a server take the file along; a copy of a server that runs beside it needs a key of its own.
  public enum InstanceFile: Sendable, Hashable {
    /// Beside the key file: `keys/server.instance` for `keys/server.pem`. Nowhere for a key that came from no file.
    case besideKey
    /// In this file.
    case path(String)
    /// Nowhere.
    case none
  }
}
