internal import RoamkeyCBOR
public import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyWire

/// What an author has signed, by itself: evidence that can be kept, shown to others, and checked without a network.
///
/// It proves that the author's key has signed this action and body, under this number, for this application and
/// server. It does not prove when, nor that anybody received it. An honest client never gives a number twice: two
/// genuine statements with one number and different contents prove that the author cheats (``contradicts(_:)``).
public struct SignedStatement: Sendable, Hashable {
  /// Whose key has signed it, if it is genuine.
  public let author: PlayerID
  let statement: AuthorStatement
  /// 64 bytes (Ed25519, RFC 8032).
  public let signature: [UInt8]

  init(author: PlayerID, statement: AuthorStatement, signature: [UInt8]) {
    self.author = author
    self.statement = statement
    self.signature = signature
  }

  /// For which application it was written.
  public var application: String { statement.application }
  /// For whose server it was written.
  public var server: PlayerID { statement.server }
  /// Tells apart the author's clients, one after the other or beside each other: random.
  public var run: UInt64 { statement.run }
  /// The author's own count of signed messages in that run, from 1. What comes again with the same run and number was
  /// said once; of one run what has the lower number was said before. Runs have no order.
  public var number: UInt64 { statement.number }
  public var action: String { statement.action }
  public var body: [UInt8] { statement.body }

  /// Whether the author's key has signed it. It takes about 50 us, each time.
  public var isGenuine: Bool { statement.number > 0 && statement.isSigned(by: author, signature) }

  /// Whether the author has said two things under one number: the proof of a modified client.
  public func contradicts(_ other: SignedStatement) -> Bool {
    author == other.author && application == other.application && server == other.server && run == other.run
      && number == other.number && !statement.says(other.statement) && isGenuine && other.isGenuine
  }

  // MARK: As bytes

  private static let version = 1

  /// For a file, or for others: CBOR (RFC 8949), deterministic, some 200 bytes and the body.
  public var encoded: [UInt8] {
    let value: Value = .list([
      Value(Self.version), Value(author.publicKey.bytes), Value(application), Value(server.publicKey.bytes), Value(run),
      Value(number), Value(Int(statement.format.rawValue)), Value(action), Value(body), Value(signature),
    ])
    // It is two levels deep, and its numbers have 64 bits.
    return (try? value.cbor()) ?? []
  }

  /// What ``encoded`` has written. It says nothing of whether the statement is genuine.
  /// - Throws: ``SignedStatementError`` where it is something else.
  public init(_ bytes: [UInt8]) throws(SignedStatementError) {
    let value: Value
    do throws(CBORError) { value = try Value(cbor: bytes) } catch { throw .malformed(error) }
    guard let list = value.list, list.count == 10, list[0] == Value(Self.version),
      let author = Self.id(list[1]), let application = list[2].text, let server = Self.id(list[3]),
      let run = Self.number(list[4]), let number = Self.number(list[5]),
      let format = list[6].int.flatMap(UInt8.init(exactly:)).flatMap(MessageContent.Format.init(rawValue:)),
      let action = list[7].text, action.utf8.count <= Message.maximumActionSize, application.utf8.count <= 255,
      let body = list[8].bytes, let signature = list[9].bytes, signature.count == 64
    else { throw .somethingElse }
    self.init(
      author: author,
      statement: AuthorStatement(
        application: application, server: server, run: run, number: number, format: format, action: action, body: body),
      signature: signature)
  }

  private static func id(_ value: Value) -> PlayerID? {
    guard let bytes = value.bytes, bytes.count == Digest.size else { return nil }
    return PlayerID(publicKey: Digest(bytes))
  }

  private static func number(_ value: Value) -> UInt64? {
    if case .integer(let number) = value { UInt64(exactly: number) } else { nil }
  }
}
