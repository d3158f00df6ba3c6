import Foundation
import RoamkeySimulator
import Testing

@testable import RoamkeyCrypto

/// PROTOCOL §12.4.
@Suite struct BackupWordsTests {
  private struct File: Decodable {
    struct Vector: Decodable {
      let entropy: String
      let words: String
    }

    let vectors: [Vector]
  }

  private static func vectors() throws -> [File.Vector] { try Vectors.decode(File.self, "bip39.json").vectors }

  private static let zeros = Array(repeating: "abandon", count: 23) + ["art"]

  private func error(_ text: String) -> BackupWordsError? {
    do throws(BackupWordsError) {
      _ = try BackupWords(text)
      return nil
    } catch {
      #expect(error.description.hasSuffix("."))
      return error
    }
  }

  @Test func theListIsThatOfBIP39() throws {
    let text = WordList.words.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
    let directory = try TemporaryDirectory()
    let path = try directory.write("english.txt", text)
    let sum = try openssl("dgst", "-sha256", "-r", path).prefix(64)
    #expect(sum == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda")
    #expect(WordList.words.map(\.count).max() == WordList.longest)
  }

  @Test func theVectorsOfBIP39() throws {
    let vectors = try Self.vectors()
    #expect(vectors.count == 8)
    for vector in vectors {
      let key = PlayerKey(seed: secret(vector.entropy))
      #expect(key.words().text == vector.words)
      let again = PlayerKey(words: try BackupWords(vector.words))
      #expect(again.withSeed { hexString($0) } == vector.entropy)
      #expect(again.id == key.id)
    }
  }

  @Test func randomKeysComeBack() throws {
    var random = SeededRandom(seed: 39)
    for _ in 0..<200 {
      var seed = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
      let key = PlayerKey(seed: SecretBytes(wiping: &seed))
      #expect(PlayerKey(words: try BackupWords(key.words().text)).id == key.id)
    }
  }

  /// As people write and type them.
  @Test func theyAreReadInAnyDress() throws {
    for vector in try Self.vectors() {
      let id = PlayerKey(seed: secret(vector.entropy)).id
      let words = vector.words.split(separator: " ").map(String.init)
      let dresses = [
        words.map { $0.uppercased() }.joined(separator: "\r\n"),
        words.map { String($0.prefix(4)) }.joined(separator: " "),
        "\t " + words.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n") + "\n\n",
        words.enumerated().map { "\($0 + 1): \($1.prefix(5))" }.joined(separator: " "),
      ]
      for text in dresses { #expect(PlayerKey(words: try BackupWords(text)).id == id) }
      let table = PlayerKey(seed: secret(vector.entropy)).words().rendered(asTable: true)
      #expect(table.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.split(separator: "\n").count == 6)
      #expect(PlayerKey(words: try BackupWords(table)).id == id)
    }
  }

  @Test func whatIsWrongIsTold() {
    let words = Self.zeros
    #expect(error(words.joined(separator: " ")) == nil)
    #expect(error("") == .wrongCount(0))
    #expect(error(words.dropLast().joined(separator: " ")) == .wrongCount(23))
    #expect(error((words + ["art"]).joined(separator: " ")) == .wrongCount(25))
    for (wrong, place) in [("abandonn", 3), ("abn", 7), ("ab", 1), ("äpfel", 24), ("abandons", 9), ("42x", 2)] {
      var copy = words
      copy[place - 1] = wrong
      #expect(error(copy.joined(separator: " ")) == .unknownWord(place))
      #expect(error(copy.joined(separator: " "))?.description.contains("Word \(place) ") == true)
    }
    // A word beyond the last is counted, not looked up.
    #expect(error((words + ["nonsense"]).joined(separator: " ")) == .wrongCount(25))
  }

  /// One wrong word of the list is noticed 255 times of 256, two that changed places as often.
  @Test func theChecksumTellsWrongWords() throws {
    let words = try #require(try Self.vectors().last).words.split(separator: " ").map(String.init)
    var unnoticed = 0, tried = 0
    for place in 0..<24 {
      for number in stride(from: 0, to: 2048, by: 8) {
        let other = String(decoding: WordList.words[number], as: UTF8.self)
        guard other != words[place] else { continue }
        var copy = words
        copy[place] = other
        tried += 1
        switch error(copy.joined(separator: " ")) {
        case .checksum: break
        case nil: unnoticed += 1
        case .some(let another): Issue.record("\(another)")
        }
      }
    }
    #expect(tried > 6000)
    #expect((1...60).contains(unnoticed), "about one in 256 of \(tried) passes: \(unnoticed)")
    var swapped = words
    swapped.swapAt(0, 1)
    #expect(error(swapped.joined(separator: " ")) == .checksum)
  }

  @Test func aFileOfWordsIsASecret() throws {
    let directory = try TemporaryDirectory()
    let words = Self.zeros.joined(separator: "\n")
    let (good, open) = (try directory.write("words", words), try directory.write("open", words, mode: 0o640))
    #expect(PlayerKey(words: try BackupWords(contentsOfFile: good)).id == PlayerKey(seed: SecretBytes(zeros: 32)).id)
    func code(_ path: String) -> KeyFileError.Code? {
      do throws(BackupWordsError) {
        _ = try BackupWords(contentsOfFile: path)
        return nil
      } catch {
        guard case .file(let file) = error else { return nil }
        return file.code
      }
    }
    #expect(code(open) == .readableByOthers)
    #expect(code(directory.file("none")) == .notFound)
    #expect(code(directory.path) == .isDirectory)
  }
}
