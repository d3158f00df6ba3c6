/// What a test waits for did not come.
package struct TookTooLong: Error, CustomStringConvertible {
  let what: String

  package init(what: String) { self.what = what }

  package var description: String { "waited in vain for \(what)" }
}

/// Looks again and again until `condition` gives something, for a minute at most: loopback is fast, but the machine may
/// be busy with other tests. However long it sleeps, it looks once more after it.
@discardableResult
package func eventually<T>(
  _ what: String, within limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> T?
) async throws -> T {
  let end = ContinuousClock.now + limit
  while true {
    let isOver = ContinuousClock.now >= end
    if let result = try await condition() { return result }
    if isOver { throw TookTooLong(what: what) }
    try await Task.sleep(for: .milliseconds(2))
  }
}
