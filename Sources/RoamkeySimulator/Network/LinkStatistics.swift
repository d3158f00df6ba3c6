/// What a link did with the datagrams that it was given: each was carried, lost, overflowed or too large.
package struct LinkStatistics: Sendable, Equatable {
  /// Datagrams that came through; a second copy does not count.
  package var carried = 0
  /// Bytes of those.
  package var bytesCarried = 0
  /// Datagrams lost by chance, in bursts or not.
  package var lost = 0
  /// Datagrams that found no room in the queue.
  package var overflowed = 0
  /// Datagrams larger than the MTU.
  package var tooLarge = 0
  /// Datagrams that came through twice.
  package var duplicated = 0
  /// Datagrams and copies with a bit flipped.
  package var corrupted = 0
  /// Datagrams and copies that were held back for others to overtake.
  package var reordered = 0

  /// Datagrams that it was given.
  package var offered: Int { carried + lost + overflowed + tooLarge }
}
