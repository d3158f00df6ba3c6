import MeasurementBudgets
import Testing

@Suite struct CallgrindProfileTests {
  /// As callgrind writes it: a function of ours that calls one of a library, whose cost stands in both, and one that
  /// cost nothing.
  private static let text = """
    # callgrind format
    version: 1
    cmd:  ./program
    desc: Trigger: --dump-after=phase
    positions: line
    events: Ir
    summary: 1234

    ob=/tmp/program
    fl=/tmp/program.swift
    fn=first
    383 10
    +2 20
    cob=/usr/lib/library.so
    cfi=???
    cfn=second
    calls=3 30
    383 1200
    * 1
    -4 3
    fe=/tmp/other.swift

    fn=idle

    ob=/usr/lib/library.so
    fl=???
    fn=second
    0 1200

    totals: 1234
    """

  @Test("each instruction counts where it stands, and none twice")
  func objects() throws {
    let profile = try CallgrindProfile(Self.text)
    #expect(profile.instructions == ["/tmp/program": 34, "/usr/lib/library.so": 1200])
  }

  @Test(
    "what is cut off, or adds up to something else, is not taken for a count",
    arguments: [
      "", "totals: 5", text.replacing("totals: 1234", with: ""), text.replacing("0 1200\n\ntotals", with: "\ntotals"),
      text.replacing("+2 20", with: "+2 many"), text.replacing("ob=/tmp/program", with: ""),
    ])
  func malformed(_ text: String) {
    #expect(throws: CallgrindProfile.Failure.malformed) { try CallgrindProfile(text) }
  }
}
