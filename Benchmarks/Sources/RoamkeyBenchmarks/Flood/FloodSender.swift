internal import ArgumentParser
internal import BenchmarkSockets
internal import Glibc

/// The flood's process: sends at a steady rate from many addresses, and reads none of the answers.
struct FloodSender: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flood-sender", abstract: "The attacker of `flood`, which starts it.", shouldDisplay: false)

  /// What its parent writes when it is to stop.
  static let stop = "stop"

  @Option var port: UInt16
  @Option var rate: Int
  @Option var sources: Int
  @Option var seed: UInt64

  /// How often a second some leave.
  private static let ticks = 1000.0
  /// As many as `bench_send_forged` takes.
  private static let batch = 64

  func run() throws {
    bench_end_with_parent()
    do throws(BenchmarkFailure) { try obey() } catch { FloodLine.say("FAILED: \(error)") }
  }

  /// A kind in, and floods until the next line. Out, then: how many were sent, in which time.
  private func obey() throws(BenchmarkFailure) {
    let socket = try DatagramSocket(stamps: false, everywhere: true)
    while let line = ChildProcess.readLine(from: STDIN_FILENO) {
      guard let kind = FloodKind(rawValue: line) else { throw BenchmarkFailure("there is no flood of \(line)") }
      let stock = FloodStock(kind, seed: seed)
      let start = Monotonic.now
      let sent = flood(socket, stock)
      FloodLine.say("\(sent) \((Monotonic.now - start).wholeNanoseconds)")
    }
  }

  private func flood(_ socket: DatagramSocket, _ stock: FloodStock) -> Int {
    let ticks = Ticks(rate: Self.ticks, notBefore: .now, offset: 0)
    var (sent, tick, due) = (0, 0, 0.0)
    while !FloodLine.waits {
      ticks[tick].sleep()
      tick += 1
      due += Double(rate) / Self.ticks
      while due >= 1 {
        let count = min(Int(due), Self.batch)
        due -= Double(count)
        var to = DatagramSocket.name(port: port)
        let datagrams = (0..<count).map { _ in stock.next(from: sources) }
        sent += Int(max(0, bench_send_forged(socket.descriptor, &to, datagrams, UInt32(count))))
      }
    }
    _ = ChildProcess.readLine(from: STDIN_FILENO)
    return sent
  }
}
