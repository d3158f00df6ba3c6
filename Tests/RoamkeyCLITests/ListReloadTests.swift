import Foundation
import TestSupport
import Testing

@testable import RoamkeyCLI
import RoamkeyTerminal

/// Lists of players are read again when they change, whatever way they change, and never by half.
@Suite(.realTime, .timeLimit(.minutes(40))) struct ListReloadTests {
  /// A server with both lists, and a player of each key who is in.
  private struct Room {
    let scratch: Scratch
    let host: Host
    let ada: String, ben: String

    init(allow: (String, String) -> String, deny: String = "") async throws {
      scratch = try Scratch()
      (ada, ben) = (try await makeKey("ada.pem", in: scratch), try await makeKey("ben.pem", in: scratch))
      try scratch.write(allow(ada, ben), to: "allow")
      try scratch.write(deny, to: "deny")
      host = try await Host(["--allow", "allow", "--deny", "deny"], in: scratch)
    }

    func join(_ key: String) async throws -> Command {
      let before = host.command.events("joined").count
      let player = try Command(["connect", host.address, "--key", key], in: scratch)
      try await eventually("\(key) to be in") { host.command.events("joined").count > before ? true : nil }
      return player
    }

    func connect(_ key: String) async throws -> Int32 {
      try await Command.run("connect", host.address, "--key", key, in: scratch).code
    }

    /// Never the same for a second, and until the end a list without Ada.
    /// - Returns: the longest pause.
    func writeSlowly() async throws -> Duration {
      let path = scratch.file("allow")
      return try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
          continuation.resume(
            with: Result {
              let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
              try handle.truncate(atOffset: 0)
              var (last, longest) = (ContinuousClock.now, Duration.zero)
              for number in 0..<15 {
                try handle.write(contentsOf: Data("# \(number)\n\(number == 14 ? ada : ben)\n".utf8))
                longest = max(longest, ContinuousClock.now - last)
                last = .now
                Thread.sleep(forTimeInterval: 0.2)
              }
              try handle.close()
              return longest
            })
        }
      }
    }

    func said(_ words: String, times: Int = 1) async throws {
      try await eventually("\(words), \(times) times, in \(host.command.errors)") {
        host.command.errors.components(separatedBy: words).count > times ? true : nil
      }
    }
  }

  private static func both(_ ada: String, _ ben: String) -> String { "\(ada)\n\(ben)\n" }

  @Test func aChangeOfTheFilePutsOutAtOnce() async throws {
    let room = try await Room(allow: Self.both)
    let (ada, ben) = (try await room.join("ada.pem"), try await room.join("ben.pem"))
    try room.scratch.write("\(room.ben)\n", to: "allow")
    #expect(try await ada.exitCode() == 2)
    #expect(ada.errors.contains("not on the list any more"))
    try room.scratch.write("\(room.ben) # shouts\n", to: "deny")
    #expect(try await ben.exitCode() == 2)
    #expect(ben.errors.contains("put this player out: banned"))
    #expect(try await room.connect("ben.pem") == 2)
    // And in again.
    try room.scratch.write("", to: "deny")
    try await room.said("were read again", times: 3)
    #expect(try await room.connect("ben.pem") == 0)
    #expect(try await room.connect("ada.pem") == 2)
    #expect(try await room.host.stop() == 0)
  }

  /// A rename in the place of the file, as editors and `roamkey` write; a link that leads elsewhere, as containers do.
  @Test func renamesAndLinksAreChanges() async throws {
    let room = try await Room(allow: Self.both)
    let files = FileManager.default
    let ada = try await room.join("ada.pem")
    try room.scratch.write("\(room.ben)\n", to: "allow.new")
    #expect(rename(room.scratch.file("allow.new"), room.scratch.file("allow")) == 0)
    #expect(try await ada.exitCode() == 2)
    let ben = try await room.join("ben.pem")
    try files.createDirectory(atPath: room.scratch.file("one"), withIntermediateDirectories: false)
    try files.createDirectory(atPath: room.scratch.file("two"), withIntermediateDirectories: false)
    try room.scratch.write("\(room.ben)\n", to: "one/allow")
    try room.scratch.write("\(room.ada)\n", to: "two/allow")
    try files.createSymbolicLink(atPath: room.scratch.file("now"), withDestinationPath: "one")
    try files.createSymbolicLink(atPath: room.scratch.file("link"), withDestinationPath: "now/allow")
    #expect(rename(room.scratch.file("link"), room.scratch.file("allow")) == 0)
    try await Task.sleep(for: .seconds(3))
    #expect(try await room.connect("ada.pem") == 2)
    // The link in the middle leads elsewhere.
    try files.createSymbolicLink(atPath: room.scratch.file("next"), withDestinationPath: "two")
    #expect(rename(room.scratch.file("next"), room.scratch.file("now")) == 0)
    #expect(try await ben.exitCode() == 2)
    #expect(try await room.connect("ada.pem") == 0)
    #expect(try await room.host.stop() == 0)
  }

  /// A list that is gone, or has a mistake, leaves the one before in force, and is told once, with its line.
  @Test func whatCannotBeReadChangesNothing() async throws {
    let room = try await Room(allow: { ada, _ in "\(ada)\n" })
    let ada = try await room.join("ada.pem")
    try FileManager.default.removeItem(atPath: room.scratch.file("allow"))
    try await room.said("stay as they were: there is no file allow")
    try room.scratch.write("\(room.ben)\n\(room.ada.dropLast())\n", to: "allow")
    try await room.said("line 2 of allow")
    // Both are one: what is right in the other list does not count either.
    try room.scratch.write("\(room.ada)\n", to: "deny")
    try await Task.sleep(for: .seconds(3))
    #expect(try await room.connect("ben.pem") == 2)
    #expect(room.host.command.events("left").count == 0, "Ada is still in")
    #expect(room.host.command.errors.components(separatedBy: "line 2 of allow").count == 2, "told once")
    try room.scratch.write("\(room.ben)\n", to: "allow")
    #expect(try await ada.exitCode() == 2)
    #expect(try await room.connect("ben.pem") == 0)
    #expect(try await room.host.stop() == 0)
  }

  /// One that is written slowly is read when it is whole.
  @Test func halfAListIsNotRead() async throws {
    let room = try await Room(allow: Self.both)
    // Where this machine was so busy that the writer paused for a second, nothing is shown, and it is tried again.
    for _ in 0..<20 {
      let ada = try await room.join("ada.pem")
      let ended = room.host.command.events("left").count
      let longest = try await room.writeSlowly()
      if longest < .milliseconds(700) {
        try await Task.sleep(for: .seconds(3))
        #expect(room.host.command.events("left").count == ended, "the longest pause was \(longest)")
        #expect(try await room.connect("ben.pem") == 0)
        #expect(try await room.host.stop() == 0)
        #expect(try await ada.exitCode() != 64)
        return
      }
      ada.signal(SIGTERM)
      _ = try await ada.exitCode()
      // So that both are known again.
      try await Task.sleep(for: .seconds(3))
    }
    Issue.record("this machine is too busy")
  }

  @Test func aSignalReadsThemAtOnce() async throws {
    let room = try await Room(allow: Self.both)
    let ada = try await room.join("ada.pem")
    try room.scratch.write("\(room.ben)\n", to: "allow")
    room.host.command.signal(SIGHUP)
    #expect(try await ada.exitCode() == 2)
    // Nothing new is told as well: somebody has asked.
    room.host.command.signal(SIGHUP)
    try await room.said("were read again", times: 2)
    #expect(try await room.host.stop() == 0)
  }

  // MARK: Looks, one by one

  /// Whatever is there at a look, it does not count before the next one has found the same.
  @Test func whatGrowsIsNotRead() throws {
    let scratch = try Scratch()
    let id = "rk1lz7pgmg2d72gw6uu9zex2g4lxu4m4ptknwklruqcmqey237nsqas4vfjxr"
    try scratch.write("\(id)\n", to: "allow")
    var files = try AccessFiles(allow: scratch.file("allow"), deny: nil)
    for _ in 0..<3 { #expect(files.look() == nil) }
    let before = files.lists
    for number in 0..<10 {
      try scratch.write(String(repeating: "# \n", count: number), to: "allow")
      #expect(files.look() == nil)
    }
    #expect(files.lists == before)
    #expect(files.look() == .changed(AccessFiles.Lists(allowed: [])))
  }

  @Test func aFileIsReadWhenItWasTheSameForTwoLooks() throws {
    let scratch = try Scratch()
    let id = "rk1lz7pgmg2d72gw6uu9zex2g4lxu4m4ptknwklruqcmqey237nsqas4vfjxr"
    try scratch.write("", to: "allow")
    var files = try AccessFiles(allow: scratch.file("allow"), deny: nil)
    #expect(files.lists == AccessFiles.Lists(allowed: []))
    // Once more after the start, in silence; then it rests.
    for _ in 0..<4 { #expect(files.look() == nil) }
    try scratch.write("\(id)\n", to: "allow")
    #expect(files.look() == nil)
    guard case .changed(let lists) = files.look() else { Issue.record("nothing has changed"); return }
    #expect(lists.allowed?.count == 1 && files.lists == lists)
    #expect(files.look() == nil)
    try scratch.write("oops\n", to: "allow")
    #expect(files.look() == nil)
    guard case .failed(let sentence) = files.look() else { Issue.record("nothing has failed"); return }
    #expect(sentence.contains("line 1 of") && files.lists == lists)
    for _ in 0..<3 { #expect(files.look() == nil) }
    // What is mended is told, even where it says what it said before.
    try scratch.write("\(id)  \n", to: "allow")
    #expect(files.look() == nil)
    #expect(files.look() == .same)
    #expect(files.readAgain() == .same)
  }

  /// `--deny <(command)`: there is nothing in a pipe the second time, and that must not open the door.
  @Test func aPipeIsReadOnce() throws {
    let scratch = try Scratch()
    let id = "rk1lz7pgmg2d72gw6uu9zex2g4lxu4m4ptknwklruqcmqey237nsqas4vfjxr"
    #expect(mkfifo(scratch.file("deny"), 0o600) == 0)
    let path = scratch.file("deny")
    Thread.detachNewThread { try? Data("\(id)\n".utf8).write(to: URL(fileURLWithPath: path), options: []) }
    try scratch.write("", to: "allow")
    var files = try AccessFiles(allow: scratch.file("allow"), deny: path)
    #expect(files.lists.denied.count == 1)
    for _ in 0..<3 { #expect(files.look() == nil) }
    #expect(files.readAgain() == .same)
    try scratch.write("\(id)\n", to: "allow")
    for _ in 0..<3 { _ = files.look() }
    #expect(files.lists.denied.count == 1 && files.lists.allowed?.count == 1)
    // Nor does anybody wait for one that takes the place of a list.
    try FileManager.default.removeItem(atPath: scratch.file("allow"))
    #expect(mkfifo(scratch.file("allow"), 0o600) == 0)
    #expect(files.look() == nil)
    guard case .failed = files.look() else { Issue.record("a pipe was read"); return }
    #expect(files.lists.allowed?.count == 1)
  }
}
