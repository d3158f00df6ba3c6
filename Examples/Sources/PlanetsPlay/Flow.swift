import PlanetsNet
import PlanetsTerminal
import Roamkey
import RoamkeyTerminal
import Synchronization

/// From one screen to the next.
struct Flow {
  let stage: Stage
  let options: Options

  // MARK: Alone

  func solo() async -> Ending {
    var play = Play(LocalTable(options.setup), on: stage, place: nil, level: options.setup.level)
    return await play.run()
  }

  // MARK: Host

  func host() async throws(Failure) -> Ending {
    let joining = try Joining(options)
    let id = try joining.key.load().id
    let hosting = try await Hosting(options, owner: id)
    let client = try await joining.connect(to: hosting.server)
    let address = (Addresses.first ?? "127.0.0.1") + ":\(hosting.server.address.port)"
    let table = GuestTable(
      client, origin: stage.start, settings: MatchSettings(options.setup), seed: options.setup.seed)
    var play = Play(
      table, on: stage, place: LobbyScreen.Place(client, address: address), level: options.setup.level)
    let ending = await play.run()
    stage.show(PickerPicture.waiting("Saying goodbye ...", Terminal.size, time: stage.time))
    await client.close(afterDelivery: false)
    await hosting.stop()
    return ending
  }

  // MARK: Join

  /// - Parameter text: a host's address or name; nil: from a list, or by the pin.
  func join(_ text: String?) async throws(Failure) -> Ending {
    let joining = try Joining(options)
    let goal: Joining.Goal
    if let text {
      goal = .text(text)
    } else if let pin = options.pin {
      goal = .pin(pin)
    } else {
      guard let server = try await pick(joining.known) else { return .left(note: nil) }
      goal = .found(server)
    }
    guard let (client, notes) = try await connect(joining, to: goal) else { return .left(note: nil) }
    let place = LobbyScreen.Place(client, address: Console.plain("\(client.serverAddress)"))
    let table = GuestTable(client, origin: stage.start, seed: options.setup.seed)
    var play = Play(table, on: stage, place: place, level: options.setup.level)
    play.say(notes)
    let ending = await play.run()
    await client.close(afterDelivery: false)
    return ending
  }

  /// The list of hosts nearby.
  private func pick(_ known: KnownServers) async throws(Failure) -> FoundServer? {
    let browser: ServerBrowser
    do throws(RoamkeyError) {
      browser = try ServerBrowser(for: PlanetsWire.application)
    } catch {
      throw Failure(error)
    }
    defer { browser.stop() }
    let acquaintances = known.acquaintances()
    var picker = Picker(application: PlanetsWire.application, size: Terminal.size)
    picker.advice = ["To host one, on any machine of this network:", "  planets host"]
    while true {
      let input = await stage.nextFrame()
      if input.isEnding { return nil }
      let servers = browser.servers
      if servers != picker.servers { picker.update(servers, acquaintances: acquaintances.of(servers)) }
      if input.size != picker.size { picker.resize(input.size) }
      for key in input.keys {
        switch picker.press(key) {
        case .chosen(let server): return server
        case .left: return nil
        case nil: break
        }
      }
      stage.show(PickerPicture.canvas(picker.screen, input.size, time: input.time))
    }
  }

  /// Connects while the screen says so.
  /// - Returns: nil where somebody did not want to wait.
  private func connect(
    _ joining: Joining, to goal: Joining.Goal
  ) async throws(Failure) -> (client: Client, notes: [String])? {
    typealias Outcome = Result<(client: Client, notes: [String]), Failure>
    final class Box: Sendable { let outcome = Mutex<Outcome?>(nil) }
    let box = Box()
    let work = Task {
      do throws(Failure) {
        let found = try await joining.connect(to: goal)
        box.outcome.withLock { $0 = .success(found) }
      } catch {
        box.outcome.withLock { $0 = .failure(error) }
      }
    }
    while true {
      let input = await stage.nextFrame()
      if let outcome = box.outcome.withLock({ $0 }) { return try outcome.get() }
      if input.isEnding || input.keys.contains(where: { [.escape, .interrupt, .character("q")].contains($0) }) {
        work.cancel()
        return nil
      }
      stage.show(PickerPicture.waiting("Joining ...   Esc: leave it", input.size, time: input.time))
    }
  }
}
