import Roamkey
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// What `bench` can be asked for on the command line.
@Suite struct BenchOptionTests {
  private func parse(_ words: String...) throws -> BenchCommand { try BenchCommand.parse(words) }

  @Test func withoutArgumentsAllIsMeasured() throws {
    let settings = try parse().settings
    #expect(settings.stories == [.connect, .roundtrip, .reliable, .unreliable, .bulk])
    #expect(settings.duration == .seconds(2))
    #expect(settings.policy == nil)
  }

  @Test func partsMayBeAskedFor() throws {
    let settings = try parse("host:1", "--seconds", "0.5", "--only", "bulk", "--only", "connect", "--policy", "sealed")
      .settings
    // In their own order.
    #expect(settings.stories == [.connect, .bulk])
    #expect(settings.duration == .milliseconds(500))
    #expect(settings.warmUp == .milliseconds(125))
    #expect(settings.policy?.policies == [.sealedOnly])
    #expect(BenchPolicy.both.policies == [.everyPacket, .sealedOnly])
  }

  @Test func whatMakesNoSenseIsRefused() throws {
    let id = "\(PlayerKey.generate().id)"
    let mistakes = [
      ["--seconds", "0"], ["--seconds", "61"], ["--seconds", "nan"], ["--only", "everything"], ["--policy", "none"],
      ["--pin", id], ["host", "--pin", "rk1oops"], ["--listen", "--pin", id], ["--listen", "--seconds", "1"],
      ["--listen", "--only", "bulk"], ["host", "--key", "k"], ["--listen", "--passphrase-file", "f"], ["one", "two"],
    ]
    for words in mistakes {
      #expect(throws: (any Error).self, "\(words)") { try BenchCommand.parse(words) }
    }
    #expect(try parse("host", "--pin", id).pin?.description == id)
    #expect(try parse("--listen", "--key", "k", "--passphrase-file", "f", "7000").host == "7000")
  }

  @Test(arguments: [
    (nil, "[::]:7447"), ("9000", "[::]:9000"), ("0", "[::]:0"), ("127.0.0.1:5", "127.0.0.1:5"),
    ("127.0.0.1", "127.0.0.1:7447"), ("localhost:8", "127.0.0.1:8"),
  ])
  func whereToListen(_ text: String?, _ address: String) throws {
    #expect(try BenchCommand.address(text).description == address)
  }

  @Test(arguments: ["65536", "99999999999999999999", "nonsense", ":1"])
  func whereNobodyCanListen(_ text: String) {
    do throws(Failure) {
      _ = try BenchCommand.address(text)
      Issue.record("took \(text)")
    } catch {
      #expect(error.kind == .usage)
    }
  }
}
