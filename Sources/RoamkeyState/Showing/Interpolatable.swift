/// A value that knows what lies between it and a later one: a place, a player, a world.
///
///     extension Ship: Interpolatable {
///         func blended(with later: Ship, at fraction: Double) -> Ship {
///             var ship = self
///             ship.x = x.blended(with: later.x, at: fraction)
///             ship.heading = heading.blendedAngle(with: later.heading, at: fraction)
///             return ship
///         }
///     }
public protocol Interpolatable {
  /// The value `fraction` of the way to a later one: this one at 0, the later one at 1.
  func blended(with later: Self, at fraction: Double) -> Self
}

extension Double: Interpolatable {
  public func blended(with later: Double, at fraction: Double) -> Double {
    fraction >= 1 ? later : self + (later - self) * fraction
  }

  /// As an angle in radians: by the shorter way round.
  public func blendedAngle(with later: Double, at fraction: Double) -> Double {
    fraction >= 1 ? later : self + (later - self).remainder(dividingBy: 2 * .pi) * fraction
  }
}

extension Float: Interpolatable {
  public func blended(with later: Float, at fraction: Double) -> Float {
    fraction >= 1 ? later : self + (later - self) * Float(fraction)
  }

  /// As an angle in radians: by the shorter way round.
  public func blendedAngle(with later: Float, at fraction: Double) -> Float {
    fraction >= 1 ? later : self + (later - self).remainder(dividingBy: 2 * .pi) * Float(fraction)
  }
}

/// Elements are known again by their `id`. What comes and what goes does so when the later state is reached.
extension Array: Interpolatable where Element: Interpolatable & Identifiable {
  public func blended(with later: [Element], at fraction: Double) -> [Element] {
    guard fraction < 1 else { return later }
    var places: [Element.ID: Int]?
    return enumerated().map { index, element in
      // Nearly always each stands where it stood.
      if index < later.count, later[index].id == element.id { return element.blended(with: later[index], at: fraction) }
      let known =
        places ?? Dictionary(later.indices.map { (later[$0].id, $0) }, uniquingKeysWith: { first, _ in first })
      places = known
      return known[element.id].map { element.blended(with: later[$0], at: fraction) } ?? element
    }
  }
}

extension Dictionary: Interpolatable where Value: Interpolatable {
  public func blended(with later: [Key: Value], at fraction: Double) -> [Key: Value] {
    guard fraction < 1 else { return later }
    return Dictionary(
      uniqueKeysWithValues: map { key, value in (key, later[key].map { value.blended(with: $0, at: fraction) } ?? value)
      })
  }
}

extension Optional: Interpolatable where Wrapped: Interpolatable {
  public func blended(with later: Wrapped?, at fraction: Double) -> Wrapped? {
    guard fraction < 1 else { return later }
    guard let self, let later else { return self }
    return self.blended(with: later, at: fraction)
  }
}
