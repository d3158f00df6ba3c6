import Roamkey
import RoamkeyCBOR
import RoamkeyCrypto

extension FuzzTargets {
  /// What an author has signed, as it is kept in files: bytes of anybody, and statements whose signatures are right and
  /// then perhaps altered.
  static let statements = FuzzTarget(
    "statements", longestInput: 500, milestones: ["read", "genuine", "forged", "altered"]
  ) { input, reached in
    let mode = input.byte()
    let change = input.int16()
    var bytes = mode & 1 == 0 ? input.rest() : signed(&input, format: Int(mode >> 1 & 3))
    guard let statement = try? SignedStatement(bytes) else { return }
    reached.reach(0)
    let once = statement.encoded
    guard let again = try? SignedStatement(once) else { preconditionFailure("what was written cannot be read") }
    precondition(again == statement && again.encoded == once, "what was written is something else")
    precondition(!statement.contradicts(again), "a statement contradicts itself")
    reached.reach(statement.isGenuine ? 1 : 2)
    guard mode & 1 == 1, statement.isGenuine, change > 0 else { return }
    bytes[change % bytes.count] ^= UInt8(1) << UInt8(change >> 8 & 7)
    guard let altered = try? SignedStatement(bytes), altered != statement else { return }
    precondition(!altered.isGenuine, "an altered statement is genuine")
    reached.reach(3)
  }

  /// A statement (PROTOCOL §9.8), written from the page.
  private static func signed(_ input: inout FuzzInput, format: Int) -> [UInt8] {
    let application = Array("fuzz/1".utf8)
    let server = FuzzKeys.server.publicKey.bytes
    var numbers: [UInt8] = []
    for _ in 0..<2 { numbers += [0, 0, 0, 0, 0, 0] + input.take(2) }
    while numbers.count < 16 { numbers.append(1) }
    let action = String(decoding: input.take(8), as: UTF8.self)
    let body = input.rest()
    let digest = BLAKE2b.hash("rk1 author") { hash in
      let head = [UInt8(application.count)] + application + server + numbers
      let tail = [UInt8(format), UInt8(action.utf8.count)] + Array(action.utf8) + body
      hash.update((head + tail).span.bytes)
    }
    let label = Array("roamkey/1 author".utf8)
    let message = label + [UInt8](repeating: 0, count: 32 - label.count) + digest.bytes
    func number(_ range: Range<Int>) -> UInt64 { numbers[range].reduce(0) { $0 << 8 | UInt64($1) } }
    let value: Value = .list([
      Value(1), Value(FuzzKeys.client.publicKey.bytes), Value("fuzz/1"), Value(server), Value(number(0..<8)),
      Value(number(8..<16)), Value(format), Value(action), Value(body),
      Value(FuzzKeys.sign(message.span.bytes, as: .client)),
    ])
    guard let bytes = try? value.cbor() else { preconditionFailure("a statement cannot be written") }
    return bytes
  }
}
