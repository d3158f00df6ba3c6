import RoamkeyCrypto
import RoamkeyWire

/// Where the state of each stream stands, in the order of first use: few are searched, many are looked up.
///
/// Most sessions use one or two streams, so there is no table of all 1024 until there are more than a handful.
struct StreamIndex: Sendable {
  private var numbers: [UInt16] = []
  /// By the stream's number, place + 1; empty while the list is short.
  private var places: [UInt16] = []

  private static let searchLimit = 8

  func find(_ stream: StreamID) -> Int? {
    let number = UInt16(truncatingIfNeeded: stream.number)
    if !places.isEmpty {
      let place = Int(places[Int(number)])
      return place > 0 ? place - 1 : nil
    }
    for i in numbers.indices where numbers[i] == number { return i }
    return nil
  }

  mutating func prefetch() { prefetchStorage(of: &numbers, bytes: 64) }

  /// Adds a stream that is not in it.
  mutating func add(_ stream: StreamID) {
    let number = UInt16(truncatingIfNeeded: stream.number)
    numbers.append(number)
    if numbers.count > Self.searchLimit, places.isEmpty {
      places = [UInt16](repeating: 0, count: StreamID.count)
      for i in numbers.indices { places[Int(numbers[i])] = UInt16(i + 1) }
    } else if !places.isEmpty {
      places[Int(number)] = UInt16(numbers.count)
    }
  }
}

extension StreamID {
  /// All streams there are: 256 channels of four modes.
  static let count = 1024
}
