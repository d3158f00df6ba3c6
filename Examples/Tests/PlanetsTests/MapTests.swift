import Planets
import Testing

@Suite struct MapTests {
  @Test(arguments: 2...6)
  func everySeatHasTheSame(seats: Int) {
    for seed in 0..<60 as Range<UInt64> {
      let map = Map(seed: seed, seats: seats)
      let homes = map.planets.filter { $0.home != nil }
      #expect(homes.map(\.home) == Array(0..<seats).map(Optional.some))
      let surroundings = homes.map { home in
        map.planets.map { planet in
          (
            distance: (planet.place.squaredDistance(to: home.place)), size: planet.size, garrison: planet.garrison,
            isHome: planet.home != nil
          )
        }
      }
      for (seat, one) in surroundings.enumerated() {
        // The same planets at the same distances; where the map is turned, by a unit more or less.
        func count(_ near: Double) -> Int { one.count { Double($0.distance).squareRoot() < near } }
        #expect(one.map(\.size).sorted() == surroundings[0].map(\.size).sorted())
        for near in stride(from: 10.0, to: 170, by: 7) {
          let (fewest, most) = (count(near - 1.5), count(near + 1.5))
          let first = surroundings[0].count { Double($0.distance).squareRoot() < near }
          #expect(fewest <= first && first <= most, "seed \(seed), seat \(seat), within \(near)")
        }
      }
    }
  }

  @Test(arguments: 2...6)
  func planetsHaveRoom(seats: Int) {
    for seed in 0..<60 as Range<UInt64> {
      let planets = Map(seed: seed, seats: seats).planets
      #expect((12...Map.mostPlanets).contains(planets.count))
      #expect(Set(planets.map(\.name)).count == planets.count && !planets.contains { $0.name.isEmpty })
      for (index, planet) in planets.enumerated() {
        #expect((2...157).contains(planet.place.x) && (2...87).contains(planet.place.y), "seed \(seed)")
        for other in planets[..<index] {
          #expect(planet.place.squaredDistance(to: other.place) >= (Map.leastDistance - 1) * (Map.leastDistance - 1))
        }
      }
      #expect(Game(seed: seed, seats: seats).view(for: nil).isSound)
    }
  }

  @Test func aSeedIsAMap() {
    #expect(Map(seed: 5, seats: 3) == Map(seed: 5, seats: 3))
    #expect(Map(seed: 5, seats: 3) != Map(seed: 6, seats: 3))
    #expect(Map(seed: 5, seats: 1) == Map(seed: 5, seats: 2), "fewer than two seats are two")
  }
}
