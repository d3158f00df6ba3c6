import Glibc
import Roamkey
import RoamkeyTerminal

/// A key that no other game on this machine plays with at the moment: of two programs that are started in one folder
/// the second is another player, and does not take the first one's place.
struct KeyChoice {
  /// `keys/player.pem`, or `keys/player-2.pem` where that is taken, and so on.
  let path: String
  /// Open, and locked, for as long as the program runs: the system lets it go at any end.
  private let lock: CInt

  private static let most = 32

  init(_ wanted: String) throws(Failure) {
    let stem = wanted.hasSuffix(".pem") ? String(wanted.dropLast(4)) : wanted
    for number in 1...Self.most {
      let path = number == 1 ? wanted : "\(stem)-\(number).pem"
      do throws(KeyFileError) {
        _ = try PlayerKey.loadOrGenerate(path)
      } catch {
        throw Failure(error)
      }
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
        (self.path, lock) = (path, descriptor)
        return
      }
      close(descriptor)
    }
    throw Failure(code: "keyFile", "all of \(stem)*.pem are in use: say another one with --key")
  }

  func load() throws(Failure) -> PlayerKey {
    do throws(KeyFileError) { return try PlayerKey.load(path) } catch { throw Failure(error) }
  }
}
