import Testing

@testable import RoamkeyCrypto

/// Small secrets share guarded regions: apart from each other, wiped, and given back. Other tests take secrets at the same
/// time, so nothing is said of the number of regions.
struct SecretPoolTests {
  private final class Box {
    var secret: SecretBytes
    init(_ count: Int) { secret = SecretBytes(random: count) }
    var bytes: [UInt8] { secret.withUnsafeBytes { Array($0) } }
    var range: Range<UInt> {
      secret.withUnsafeBytes {
        let start = UInt(bitPattern: $0.baseAddress)
        return start..<start + UInt($0.count)
      }
    }
  }

  @Test("sizes up to a slot, and beyond", arguments: [1, 31, 32, 64, 65, 96, 576, 639, 640, 641, 5000])
  func slotsDoNotOverlap(size: Int) {
    let boxes = (0..<300).map { _ in Box(size) }
    let before = boxes.map(\.bytes)
    let ranges = boxes.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
    for (a, b) in zip(ranges, ranges.dropFirst()) { #expect(a.upperBound <= b.lowerBound) }
    if size <= SecretPool.largestSlot { #expect(ranges.allSatisfy { $0.lowerBound % 64 == 0 }) }
    for i in stride(from: 0, to: 300, by: 2) {
      boxes[i].secret.withUnsafeMutableBytes { for k in $0.indices { $0[k] = 0xff } }
    }
    for i in stride(from: 1, to: 300, by: 2) { #expect(boxes[i].bytes == before[i], "its neighbour wrote into it") }
  }

  @Test func aNewSecretIsZeros() {
    for _ in 0..<200 {
      do {
        var secret = SecretBytes(zeros: 576)
        let isClean = secret.withUnsafeBytes { $0.allSatisfy { $0 == 0 } }
        #expect(isClean, "what somebody left")
        secret.withUnsafeMutableBytes { for i in $0.indices { $0[i] = 0xa5 } }
      }
    }
  }

  @Test func regionsAreGivenBack() {
    var boxes = (0..<1000).map { _ in Box(640) }
    let most = SecretBytes.pooledBytes
    #expect(most >= 1000 * 640)
    boxes.shuffle()
    boxes.removeAll()
    // Whoever else takes secrets meanwhile does not take so many.
    #expect(SecretBytes.pooledBytes < most - 1000 * 640 / 2)
  }

  @Test func threads() async {
    await withTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          var isIntact = true
          for round in 0..<500 {
            let value = UInt8(truncatingIfNeeded: task * 31 + round)
            let boxes = (0..<5).map { _ in Box(64) }
            for box in boxes { box.secret.withUnsafeMutableBytes { for i in $0.indices { $0[i] = value } } }
            isIntact = isIntact && boxes.allSatisfy { $0.bytes.allSatisfy { $0 == value } }
          }
          return isIntact
        }
      }
      for await isIntact in group { #expect(isIntact) }
    }
  }
}
