/// Which element of the base each element of a list goes on from: a publisher's choice, that it tells (STATE §5.8).
enum ListMatching {
  /// For each element an index in the base, or nil for a new one; nil for the whole list where each goes on from the
  /// one at its own place.
  static func match(
    _ places: [Int], _ nodes: [StateNode], _ heap: [UInt8],
    with base: [Int], _ baseNodes: [StateNode], _ baseHeap: [UInt8], _ keys: KeyTable
  ) -> [Int?]? {
    typealias Coding = StateCoding<RangeEncoder>
    let identities = places.map { Coding.identity(nodes, heap, $0) }
    let baseIdentities = base.map { Coding.identity(baseNodes, baseHeap, $0) }
    let hasIdentities = !identities.contains { $0 == nil } && !baseIdentities.contains { $0 == nil }
    if hasIdentities, !places.isEmpty, !base.isEmpty {
      if identities == baseIdentities { return nil }
      var indexes: [Coding.Identity: Int] = [:]
      for (index, identity) in baseIdentities.enumerated().reversed() {
        if let identity { indexes[identity] = index }
      }
      // Each is gone on from once (STATE §5.8); of elements with the same identity the second is new.
      return identities.map { identity in identity.flatMap { indexes.removeValue(forKey: $0) } }
    }
    // Points and the like have places.
    if places.count == base.count, places.count <= 4 { return nil }
    let hashes = places.map { StateTree.hash(nodes, $0..<Int(nodes[$0].end), heap, keys) }
    let baseHashes = base.map { StateTree.hash(baseNodes, $0..<Int(baseNodes[$0].end), baseHeap, keys) }
    let matched = matchEqual(hashes, baseHashes)
    guard places.count == base.count else { return matched }
    let inPlace = zip(hashes, baseHashes).count { $0 == $1 }
    let equal = matched.enumerated().count { index, source in source.map { baseHashes[$0] == hashes[index] } ?? false }
    return equal > inPlace ? matched : nil
  }

  /// Equal elements in their order, then what is left between them place by place.
  private static func matchEqual(_ hashes: [UInt64], _ base: [UInt64]) -> [Int?] {
    var matched: [Int?] = Array(repeating: nil, count: hashes.count)
    var start = 0
    while start < min(hashes.count, base.count), hashes[start] == base[start] {
      matched[start] = start
      start += 1
    }
    var tail = 0
    while tail < min(hashes.count, base.count) - start,
      hashes[hashes.count - 1 - tail] == base[base.count - 1 - tail]
    {
      tail += 1
      matched[hashes.count - tail] = base.count - tail
    }
    // Where each hash stands in the middle, the last one first.
    var places: [UInt64: [Int]] = [:]
    for index in (start..<base.count - tail).reversed() { places[base[index], default: []].append(index) }
    var next = start
    for index in start..<hashes.count - tail {
      while let place = places[hashes[index]]?.last, place < next { places[hashes[index]]?.removeLast() }
      guard let place = places[hashes[index]]?.popLast() else { continue }
      matched[index] = place
      next = place + 1
    }
    fillGaps(&matched, base.count)
    return matched
  }

  /// Elements without a match go on from those without one at the same place of a gap.
  private static func fillGaps(_ matched: inout [Int?], _ baseCount: Int) {
    var index = 0
    var next = 0
    while index < matched.count {
      if let source = matched[index] {
        next = source + 1
        index += 1
        continue
      }
      var end = index
      while end < matched.count, matched[end] == nil { end += 1 }
      let limit = end < matched.count ? matched[end] ?? baseCount : baseCount
      while index < end {
        if next < limit {
          matched[index] = next
          next += 1
        }
        index += 1
      }
    }
  }
}
