import Glibc
import Testing

@testable import RoamkeyUDP

/// What may be joined to a run, and how one is cut again.
struct DatagramRunTests {
  private func length(of sizes: [Int]) -> Int {
    var run = DatagramRun(first: sizes[0])
    for size in sizes.dropFirst() { guard run.join(size) else { break } }
    return run.count
  }

  @Test func onlyTheLastMayBeShorter() {
    #expect(length(of: [100, 100, 100]) == 3)
    #expect(length(of: [100, 100, 99, 99]) == 3)
    #expect(length(of: [100, 100, 99, 100]) == 3)
    #expect(length(of: [100, 101]) == 1)
    #expect(length(of: [1, 1, 1]) == 3)
  }

  /// An empty datagram would be none when the run is cut.
  @Test func emptyOnesStayAlone() {
    #expect(length(of: [0, 0]) == 1)
    #expect(length(of: [100, 100, 0]) == 2)
  }

  @Test func bothLimitsHold() {
    #expect(length(of: Array(repeating: 100, count: 70)) == 64)
    #expect(length(of: Array(repeating: 1400, count: 64)) == 65_507 / 1400)
    #expect(length(of: [65_507, 1]) == 1 && length(of: [65_506, 1]) == 2)
  }

  @Test func aRunIsCutWhereItWasJoined() {
    var run = ReceivedRun(bytes: 2500, segmentSize: 1200)
    #expect(run.isJoined)
    let cut = [run.next(), run.next(), run.next(), run.next()]
    #expect(cut == [0..<1200, 1200..<2400, 2400..<2500, nil] && run.isEmpty)
  }

  /// Whatever segment size is told: every byte is in one datagram, in order, and there is an end.
  @Test(arguments: [0, 1, 2, 1199, 1200, 1400, 65_507, 65_536])
  func oddSegmentSizes(_ bytes: Int) {
    for size in [.min, -1, 0, 1, 7, bytes - 1, bytes, bytes + 1, 65_535, 65_536, Int(CInt.max), .max] {
      var run = ReceivedRun(bytes: bytes, segmentSize: size)
      var (position, count) = (0, 0)
      while let range = run.next() {
        #expect(range.lowerBound == position && (range.count > 0 || bytes == 0))
        position = range.upperBound
        count += 1
      }
      let makesSense = (1..<max(bytes, 2)).contains(size) && bytes > 0
      #expect(position == bytes && count == (makesSense ? (bytes + size - 1) / size : 1), "\(bytes) by \(size)")
      #expect(run.isEmpty && run.isJoined == (count > 1))
    }
    var nothing = ReceivedRun()
    #expect(nothing.isEmpty && nothing.next() == nil && !nothing.isJoined)
  }

  /// What a firewall, a lost network or want of memory says, says nothing of runs.
  @Test func whatIsNoRefusal() {
    for number in [EIO, EINVAL, EOPNOTSUPP, EMSGSIZE] { #expect(DatagramRun.mayBeRefused(with: number)) }
    for number in [EPERM, ENOBUFS, ENOMEM, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL] {
      #expect(!DatagramRun.mayBeRefused(with: number))
    }
  }
}
