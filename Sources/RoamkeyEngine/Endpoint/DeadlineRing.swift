/// Things that wait for deadlines within the next quarter of a second, sorted by slices of some milliseconds and not
/// within them: to put one in is to append it to an array, however many there are.
///
/// A hashed timing wheel (Varghese and Lauck, 1987), whose slices are sorted by their user when their time comes: most
/// of what waits has moved on by then.
struct DeadlineRing<Element> {
  /// Slices of 2^22 ns, about 4 ms.
  private static var sliceBits: Int64 { 22 }
  /// As many as there are bits to tell which of them hold anything.
  private static var sliceCount: Int64 { 64 }
  /// A slice gives back the memory of more elements when it is emptied.
  private static var keptCapacity: Int { 1024 }

  private var slices: [[Element]] = []
  /// A bit for each slice that holds something.
  private var filled: UInt64 = 0
  /// The last slice whose time has come; far in the past until somebody has told the time.
  private var current = Int64.min / 2

  /// When the first slice that holds something begins: what is in it is due then at the earliest.
  var start: Instant? {
    guard filled != 0 else { return nil }
    let first = current + 1
    let rotated = filled >> UInt64(first & 63) | filled << UInt64(-first & 63)
    return Instant(nanoseconds: (first + Int64(rotated.trailingZeroBitCount)) << Self.sliceBits)
  }

  /// Where a deadline lies.
  enum Distance {
    /// In a slice that has begun.
    case near
    case inside
    /// Behind the last slice.
    case far
  }

  /// Puts something in, where its deadline lies inside.
  mutating func insert(_ element: Element, deadline: Instant) -> Distance {
    let slice = deadline.nanoseconds >> Self.sliceBits
    guard slice > current else { return .near }
    guard slice < current + Self.sliceCount else { return .far }
    if slices.isEmpty { slices = Array(repeating: [], count: Int(Self.sliceCount)) }
    let place = Int(slice & (Self.sliceCount - 1))
    slices[place].append(element)
    filled |= 1 << UInt64(place)
    return .inside
  }

  /// Takes out all whose slice has begun by `now`, in no order.
  mutating func takeBegun(by now: Instant, into elements: inout [Element]) {
    let slice = now.nanoseconds >> Self.sliceBits
    guard slice > current else { return }
    while let start, start <= now {
      let place = Int(start.nanoseconds >> Self.sliceBits & (Self.sliceCount - 1))
      elements += slices[place]
      slices[place].removeAll(keepingCapacity: slices[place].count <= Self.keptCapacity)
      filled &= ~(1 << UInt64(place))
    }
    current = slice
  }
}
