/// What a link did with the datagrams that it was given: each was carried, lost, overflowed or too large.
public struct LinkStatistics: Sendable, Equatable {
  /// Datagrams that came through; a second copy does not count.
  public package(set) var carried = 0
  /// Bytes of those.
  public package(set) var bytesCarried = 0
  /// Datagrams lost by chance, in bursts or not.
  public package(set) var lost = 0
  /// Datagrams that found no room in the queue.
  public package(set) var overflowed = 0
  /// Datagrams larger than the MTU.
  public package(set) var tooLarge = 0
  /// Datagrams that came through twice.
  public package(set) var duplicated = 0
  /// Datagrams and copies with a bit flipped.
  public package(set) var corrupted = 0
  /// Datagrams and copies that were held back for others to overtake.
  public package(set) var reordered = 0

  /// Datagrams that it was given.
  public var offered: Int { carried + lost + overflowed + tooLarge }
}
