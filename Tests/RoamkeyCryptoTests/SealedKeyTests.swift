import RoamkeySimulator
import Testing

@testable import RoamkeyCrypto

private struct SealedKeyVector: Decodable {
  let seed, passphrase: String
  let pem: [String]
}

@Suite struct SealedKeyTests {
  /// A file that an earlier build wrote: files must stay readable.
  @Test func fileOfVersion1Opens() throws {
    let vector = try Vectors.decode(SealedKeyVector.self, "sealed_key.json")
    let directory = try TemporaryDirectory()
    let path = try directory.write("me.pem", vector.pem.joined(separator: "\n") + "\n")
    let key = try PlayerKey.load(path, passphrase: Passphrase(vector.passphrase))
    #expect(key.withSeed { hexString($0) } == vector.seed)
    #expect(try PlayerID.load(path) == key.id)
  }

  @Test func mutatedFilesNeverOpen() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("mutatedFilesNeverOpen: seed \(seed)")
    var random = SeededRandom(seed: seed)
    let passphrase = Passphrase("p")
    let sealed = SealedKey.seal(PlayerKey.generate(), passphrase, SealedKey.Limits(passes: 1, memoryKiB: 8))
    let file = try #require(sealed)
    for _ in 0..<2000 {
      var bytes = file
      mutate(&bytes, using: &random)
      // The work stays as it is: what a mutation may ask for is tested elsewhere, and slow.
      if bytes.count >= 9 { bytes.replaceSubrange(1..<9, with: file[1..<9]) }
      guard bytes != file else { continue }
      #expect(throws: SealedKey.OpeningError.self, "seed \(seed)") {
        try bytes.withUnsafeBytes { bytes in _ = try SealedKey.open(bytes, passphrase) }
      }
    }
  }
}
