import Foundation
import Testing

@testable import RoamkeyCrypto

/// PROTOCOL §12.5.
@Suite struct ChildKeyTests {
  private struct File: Decodable {
    struct Child: Decodable {
      let root: String
      let application: String
      let number: UInt32
      let seed: String
      let `public`: String
    }

    let children: [Child]
  }

  @Test func theVectors() throws {
    let children = try Vectors.decode(File.self, "keys.json").children
    #expect(children.count == 5)
    for child in children {
      let key = PlayerKey(seed: secret(child.root)).child(application: child.application, number: child.number)
      #expect(key.withSeed { hexString($0) } == child.seed)
      #expect(hexString(key.id.publicKey.bytes) == child.public)
      #expect(key.file == nil)
    }
  }

  /// All that goes in decides; the length before the name keeps name and number apart.
  @Test func eachIsAnother() {
    let root = PlayerKey.generate()
    let other = PlayerKey.generate()
    var ids: Set<PlayerID> = [root.id, other.id]
    for application in ["galaxy/1", "galaxy/2", "galaxy/1\0\0\0\0", "g"] {
      for number: UInt32 in [0, 1, 1 << 24] {
        ids.insert(root.child(application: application, number: number).id)
        ids.insert(other.child(application: application, number: number).id)
      }
    }
    #expect(ids.count == 26)
    #expect(root.child(application: "galaxy/1", number: 0).id == root.child(application: "galaxy/1", number: 0).id)
    // Not of a public key, nor of a child: who has one of them has no other.
    let child = root.child(application: "galaxy/1", number: 0)
    #expect(!ids.contains(child.child(application: "galaxy/1", number: 1).id))
  }

  /// What brings the root back brings them all back.
  @Test func wordsBringThemBack() throws {
    let root = PlayerKey.generate()
    let again = PlayerKey(words: try BackupWords(root.words().text))
    #expect(again.child(application: "a", number: 3).id == root.child(application: "a", number: 3).id)
  }
}
