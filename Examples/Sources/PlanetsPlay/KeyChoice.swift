import Glibc
import Roamkey
import RoamkeyTerminal
import Synchronization

/// A key that no other game on this machine plays with at the moment: of two programs that are started in one folder
/// the second is another player, and does not take the first one's place. One program stays who it is, game after game.
struct KeyChoice: Sendable {
  /// `keys/player.pem`, or `keys/player-2.pem` where that is taken, and so on.
  let path: String

  private static let most = 32
  private static let chosen = Mutex<[String: KeyChoice]>([:])

  /// The choice of this program, made once.
  static func of(_ wanted: String) throws(Failure) -> KeyChoice {
    if let known = chosen.withLock({ $0[wanted] }) { return known }
    let choice = try KeyChoice(wanted)
    chosen.withLock { $0[wanted] = choice }
    return choice
  }

  private init(_ wanted: String) throws(Failure) {
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
        // It stays open, and so locked, for as long as the program runs: the system lets it go at any end.
        self.path = path
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
