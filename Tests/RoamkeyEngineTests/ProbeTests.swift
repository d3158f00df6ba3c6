import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// What is sent again because nobody has acknowledged it (PROTOCOL §10.4).
@Suite struct ProbeTests {
  /// A probe is padded to the size that a server answers with a reset; the message in it ends where it ended.
  @Test(arguments: [SigningPolicy.sealedOnly, .everyPacket])
  func aProbeCarriesAMessageAsItIs(policy: SigningPolicy) throws {
    for size in 1...40 {
      var settings = ServerSettings(application: "test/1")
      settings.signingPolicy = policy
      let pair = Pair(server: settings)
      pair.connect()
      pair.run(for: .seconds(1))
      let text = String(repeating: "x", count: size)
      // Copies leave before the first probe; then nothing but probes does.
      pair.toServer = { _ in nil }
      try pair.send(text)
      pair.run(for: .milliseconds(500))
      pair.toServer = { $0 }
      pair.run(for: .seconds(3))
      #expect(pair.heard == [text])
    }
  }
}
