public import RoamkeyCBOR
public import RoamkeyCrypto
public import RoamkeyEngine

/// Bodies that are values: of any `Codable` type, or made up on the spot.
///
///     struct Move: Codable { var x: Double; var y: Double }
///
///     try client.send(Move(x: 1, y: 2), as: "move")          // anything that is Codable
///     try client.send(["name": "Ada", "hp": 10], as: "hero") // or a value without a type of its own
///
///     let move = try message.decode(Move.self)
///     let name = message.value?["name"]?.text
extension Message {
  /// A message with a value as its body, in CBOR (RFC 8949).
  /// - Throws: `SendError.notEncodable` for what its type cannot encode, and for what is nested more than
  ///   ``CBOR/maximumDepth`` levels deep.
  public init(_ value: some Encodable, as action: String = "") throws(SendError) {
    do {
      self.init(format: .cbor, author: nil, action: action, body: try CBOR.encode(value))
    } catch {
      throw .notEncodable("\(error)")
    }
  }

  /// The body as a value; nil where the sender sent text or bytes, and where the body is no CBOR that can be read.
  ///
  /// It is read anew each time: keep it, where it is asked for more than once.
  public var value: Value? { format == .cbor ? try? Value(cbor: body) : nil }

  /// The body as a value of that type.
  /// - Throws: ``CBORError`` where the body is no CBOR, text and bytes included, and `DecodingError` where it is
  ///   something else than that type: it comes from somebody's program, which need not be yours.
  public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T {
    guard format == .cbor else { throw CBORError.notAValue }
    return try CBOR.decode(type, from: body)
  }
}

extension GameServer {
  /// Sends a value of any `Codable` type to a player, with the parameters and results of the `send` of a text.
  @discardableResult @_disfavoredOverload
  public func send(
    _ value: some Encodable, as action: String = "", to player: PlayerID, delivery: Delivery = .reliableOrdered,
    priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> SendError? {
    do throws(SendError) {
      return send(
        try Message(value, as: action), to: player,
        options: .init(
          delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
    } catch {
      return error
    }
  }

  /// Sends a value to a player, with the parameters and results of the `send` of a text.
  @discardableResult @_disfavoredOverload
  public func send(
    _ value: Value, as action: String = "", to player: PlayerID, delivery: Delivery = .reliableOrdered,
    priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> SendError? {
    send(
      Encoded(value), as: action, to: player, delivery: delivery, priority: priority, channel: channel,
      expires: expires, receipt: receipt)
  }

  /// Sends a value of any `Codable` type to all players but the `exceptions`, with the parameters of the `send` of
  /// a text.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult @_disfavoredOverload
  public func broadcast(
    _ value: some Encodable, as action: String = "", except exceptions: Set<PlayerID> = [],
    delivery: Delivery = .reliableOrdered,
    priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    do throws(SendError) {
      return broadcast(
        try Message(value, as: action), from: nil, except: exceptions,
        options: .init(
          delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
    } catch {
      return Dictionary(
        players.filter { !exceptions.contains($0) }.map { ($0, error) }, uniquingKeysWith: { first, _ in first })
    }
  }

  /// Sends a value to all players but the `exceptions`, with the parameters of the `send` of a text.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult @_disfavoredOverload
  public func broadcast(
    _ value: Value, as action: String = "", except exceptions: Set<PlayerID> = [],
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal,
    channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    broadcast(
      Encoded(value), as: action, except: exceptions, delivery: delivery, priority: priority, channel: channel,
      expires: expires,
      receipt: receipt)
  }
}

extension GameClient {
  /// Sends a value of any `Codable` type to the server, with the parameters and errors of the `send` of a text.
  @_disfavoredOverload
  public func send(
    _ value: some Encodable, as action: String = "", delivery: Delivery = .reliableOrdered,
    priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) throws(SendError) {
    try send(
      Message(value, as: action),
      options: .init(
        delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends a value to the server, with the parameters and errors of the `send` of a text.
  @_disfavoredOverload
  public func send(
    _ value: Value, as action: String = "", delivery: Delivery = .reliableOrdered, priority: Priority = .normal,
    channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) throws(SendError) {
    try send(
      Encoded(value), as: action, delivery: delivery, priority: priority, channel: channel, expires: expires,
      receipt: receipt)
  }
}

/// A value as anything that can be encoded: so that the overloads for values can ask those for all types.
struct Encoded: Encodable {
  let value: Value

  init(_ value: Value) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }
}
