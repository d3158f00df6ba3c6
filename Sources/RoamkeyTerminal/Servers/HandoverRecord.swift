internal import Glibc
package import Roamkey

/// The hand-overs that were accepted for the files of one directory, in a file beside them: the statements themselves,
/// so that what was signed can be shown when another one contradicts it.
package struct HandoverRecord {
  /// The file.
  package let path: String

  /// Beside the file at `path`.
  package init(besides path: String) {
    let directory = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    self.path = directory + "accepted_handovers"
  }

  /// Accepts hand-overs, one after the other, all or none, and adds them to the file. What follows from them comes
  /// afterwards, and may be done again: a crash between the two loses nothing.
  /// - Parameters:
  ///   - handovers: a chain, for instance.
  ///   - check: is told those that are news, and throws where they are of no use here.
  /// - Returns: how many are news.
  /// - Throws: a refusal where one contradicts what was accepted before, or what `check` throws.
  package func accept(
    _ handovers: [Handover], check: (_ news: [Handover]) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw cannotWrite() }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX) == 0 else { throw cannotWrite() }
    var accepted = try read(descriptor)
    var news: [Handover] = []
    do throws(HandoverError) {
      for handover in handovers where try accepted.accept(handover) { news.append(handover) }
    } catch {
      throw Failure(error)
    }
    try check(news)
    let text = news.map(\.text).joined()
    guard text.isEmpty || (write(descriptor, text, text.utf8.count) == text.utf8.count && fsync(descriptor) == 0) else {
      throw cannotWrite()
    }
    return news.count
  }

  private func read(_ descriptor: CInt) throws(Failure) -> Handovers {
    var accepted = Handovers()
    let text = try TextFile.read(descriptor, path)
    do throws(HandoverError) {
      guard !text.utf8.isEmpty else { return accepted }
      for handover in try Handover.all(in: text) { try accepted.accept(handover) }
    } catch {
      throw Failure(code: "handover", "\(Console.plain(path)) cannot be used (\(error.description)): restore it")
    }
    return accepted
  }

  private func cannotWrite() -> Failure {
    Failure(
      code: "file",
      "\(Console.plain(path)) cannot be written (\(TextFile.systemWords())): check the directory and its permissions")
  }
}
