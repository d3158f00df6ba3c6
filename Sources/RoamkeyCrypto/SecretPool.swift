import RoamkeySodium
import Synchronization

/// Guarded memory for small secrets, many to a region.
///
/// A piece from `sodium_malloc` takes a page and three guard pages, and mappings of which a process may have 65,530: a
/// server with thousands of sessions would run out of them. So secrets share regions: each is guarded on both sides,
/// locked against swapping, and cut into slots of one size. A slot is wiped when it is given back, and a region goes
/// when its last slot does, but for one of each size that is kept for who comes next.
///
/// Between slots nothing is guarded: every access inside this module is checked against the secret's own bounds.
///
/// The lock is held for moments, when a secret is made or dies: never for a packet.
struct SecretPool {
  private struct Region {
    let base: UnsafeMutableRawPointer
    var free: [UInt16]
    var used = 0
  }

  /// Slots of this many bytes times 1, 2, ...; secrets above the last have a region of their own.
  private static let unit = 64
  private static let sizes = 10
  static let largestSlot = unit * sizes
  /// Four pages, less room for the canary that `sodium_malloc` puts in front. It aligns the end of a region, so slots
  /// are aligned to 64.
  private static let regionSize = 4 * 4096 - 64

  private var regions: [[Region]] = Array(repeating: [], count: SecretPool.sizes)

  private static let shared = Mutex(SecretPool())

  // Addresses leave the lock as numbers: the memory is the taker's alone.

  /// Zeros for `count` bytes, at most `largestSlot`.
  static func take(_ count: Int) -> UnsafeMutableRawPointer {
    let address = shared.withLock { UInt(bitPattern: $0.take(count)) }
    guard let slot = UnsafeMutableRawPointer(bitPattern: address) else {
      preconditionFailure("no memory for a key of \(count) bytes")
    }
    return slot
  }

  /// Wipes what `take` gave for `count` bytes.
  static func giveBack(_ slot: UnsafeMutableRawPointer, _ count: Int) {
    sodium_memzero(slot, count)
    let address = UInt(bitPattern: slot)
    shared.withLock { $0.giveBack(address, count) }
  }

  /// Bytes of guarded memory in regions now, guard pages left out.
  static var bytes: Int { shared.withLock { $0.regions.reduce(0) { $0 + $1.count } } * (regionSize + 64) }

  private static func size(_ count: Int) -> Int { max(0, count - 1) / unit }

  private mutating func take(_ count: Int) -> UnsafeMutableRawPointer? {
    let size = Self.size(count)
    let place: Int
    if let known = regions[size].firstIndex(where: { !$0.free.isEmpty }) {
      place = known
    } else {
      guard let base = sodium_malloc(Self.regionSize) else { return nil }
      sodium_memzero(base, Self.regionSize)
      let slots = Self.regionSize / (Self.unit * (size + 1))
      regions[size].append(Region(base: base, free: (0..<UInt16(slots)).reversed()))
      place = regions[size].count - 1
    }
    regions[size][place].used += 1
    return regions[size][place].base + Int(regions[size][place].free.removeLast()) * Self.unit * (size + 1)
  }

  private mutating func giveBack(_ address: UInt, _ count: Int) {
    let size = Self.size(count)
    let place = regions[size].firstIndex {
      address >= UInt(bitPattern: $0.base) && address - UInt(bitPattern: $0.base) < UInt(Self.regionSize)
    }
    guard let place else { preconditionFailure("a secret is given back to the region that it came from") }
    let offset = Int(address - UInt(bitPattern: regions[size][place].base))
    regions[size][place].free.append(UInt16(offset / (Self.unit * (size + 1))))
    regions[size][place].used -= 1
    guard regions[size][place].used == 0, regions[size].count > 1 else { return }
    sodium_free(regions[size].remove(at: place).base)
  }
}
