import RoamkeyEngine
import Testing

@testable import RoamkeyUDP

/// When the loop waits for datagrams to gather.
@Suite struct TurnPacingTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)

  /// The pause after the second of two turns.
  private func pause(
    after counts: (Int, Int) = (1, 1), apart: Duration = .microseconds(50), hasManyPeers: Bool = true
  ) -> Duration? {
    var pacing = TurnPacing()
    let first = pacing.pause(after: counts.0, now: Self.start, hasManyPeers: hasManyPeers)
    #expect(first == nil, "nothing is known of how often turns come")
    return pacing.pause(after: counts.1, now: Self.start + apart, hasManyPeers: hasManyPeers)
  }

  @Test func oneByOneFromMany() { #expect(pause() == TurnPacing.pause) }

  @Test func nobodyWaitsAmongFew() { #expect(pause(hasManyPeers: false) == nil) }

  @Test func nothingWaitsWhereTurnsAreRare() { #expect(pause(apart: .milliseconds(2)) == nil) }

  @Test func aTurnThatBringsManyIsWorthItsCost() { #expect(pause(after: (1, 16)) == nil) }

  /// Else timers and what the app sends would wait for nothing.
  @Test func aTurnWithoutDatagramsIsNotDelayed() { #expect(pause(after: (1, 0)) == nil) }
}
