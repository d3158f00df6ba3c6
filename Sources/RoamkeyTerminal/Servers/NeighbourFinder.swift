package import Roamkey

/// Finds a server of the local network by its name or its key.
package struct NeighbourFinder {
  /// What people call it, in any case of letters; nil for any name.
  package let name: String?
  /// The only key that it may have.
  package let pin: PlayerID?
  /// The key that it had before, if it was met under this name.
  package let met: PlayerID?
  package let application: String

  package init(name: String?, pin: PlayerID?, met: PlayerID?, application: String) {
    (self.name, self.pin, self.met, self.application) = (name, pin, met, application)
  }

  /// What came of it.
  package enum Finding: Equatable {
    case none
    case one(FoundServer)
    /// Of one name, and nothing says which is meant.
    case several([FoundServer])
  }

  /// How long is looked for it.
  package static let limit = Duration.seconds(2)
  /// How long others of the same name have to answer once one has.
  package static let grace = Duration.milliseconds(500)

  /// Looks for at most ``limit``.
  package func find() async throws(Failure) -> Finding {
    let browser: ServerBrowser
    do throws(RoamkeyError) {
      browser = try ServerBrowser(for: application)
    } catch {
      let cause = Failure(error)
      if cause.kind == .usage { throw cause }
      throw Failure(
        cause.kind, code: cause.code,
        "the local network cannot be asked (\(cause.sentence)): say the server's host and port")
    }
    defer { browser.stop() }
    await withDeadline(Self.limit) {
      for await servers in browser.changes {
        switch choose(from: servers) {
        case .none: continue
        case .one(let server) where isExpected(server): return
        case .one, .several:
          try? await Task.sleep(for: Self.grace)
          return
        }
      }
    }
    return choose(from: browser.servers)
  }

  /// Which of these is meant. Whoever has the key is; of those without it each is as good as another, and one that has
  /// taken a known name must not hide behind the others.
  package func choose(from servers: [FoundServer]) -> Finding {
    let matching = servers.filter { server in
      (name.map { Self.isSame($0, server.name) } ?? true) && (pin.map { $0 == server.id } ?? true)
    }
    if let expected = matching.first(where: isExpected) { return .one(expected) }
    switch matching.count {
    case 0: return .none
    case 1: return .one(matching[0])
    default: return .several(matching)
    }
  }

  private func isExpected(_ server: FoundServer) -> Bool { server.id == pin ?? met }

  private static func isSame(_ text: String, _ name: String?) -> Bool {
    guard let name else { return false }
    return Console.label(text).lowercased() == Console.label(name).lowercased()
  }
}
