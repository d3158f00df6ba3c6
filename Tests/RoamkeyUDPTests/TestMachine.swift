import Foundation
import Glibc
import RoamkeyEngine
import RoamkeyWire

@testable import RoamkeyUDP

/// A network namespace of a test's own: a machine, as far as its networks go. It is gone with its owner.
///
/// A namespace belongs to a thread. What is opened on a thread inside stays inside, and threads started there too.
final class TestMachine: Sendable {
  struct Failure: Error, CustomStringConvertible { var description: String }

  let name: String

  /// Whether this process may make namespaces, and has the tools to: mostly, whether it is root's.
  static let isPermitted: Bool = {
    guard let machine = try? TestMachine(), (try? machine.ip("link show lo")) != nil else { return false }
    return (try? machine.inside { true }) ?? false
  }()

  private static let number = Locked(0)

  /// With its loopback up.
  init() throws {
    let number = Self.number.withLock { number in
      number += 1
      return number
    }
    name = "roamkey-\(getpid())-\(number)"
    try Self.run("ip netns add \(name)")
    try ip("link set lo up")
  }

  deinit { try? Self.run("ip netns del \(name)") }

  /// Runs `ip` inside: each line of `commands` is one, without the `ip`.
  func ip(_ commands: String) throws {
    try Self.run("ip -n \(name) -batch -", input: commands + "\n")
  }

  /// Runs another command inside.
  func execute(_ command: String) throws {
    try Self.run("ip netns exec \(name) \(command)")
  }

  /// A cable between two machines. Interfaces have no IPv6 addresses but those that a test gives them.
  func connect(_ interface: String, to other: TestMachine, _ otherInterface: String) throws {
    try ip("link add \(interface) type veth peer name \(otherInterface) netns \(other.name)")
    try other.ip("link set \(otherInterface) addrgenmode none up")
    try ip("link set \(interface) addrgenmode none up")
  }

  /// The number of an interface.
  func index(of interface: String) throws -> UInt32 { try inside { if_nametoindex(interface) } }

  /// Runs `body` on a thread inside, and waits for it.
  func inside<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    let path = "/run/netns/\(name)"
    let result = Locked<Swift.Result<Result, any Error>?>(nil)
    let thread = try LoopThread(name: "inside") {
      let outcome = Swift.Result {
        try Self.enter(path)
        return try body()
      }
      result.withLock { $0 = outcome }
    }
    thread.join()
    guard let outcome = result.withLock({ $0 }) else { throw Failure(description: "no result from \(path)") }
    return try outcome.get()
  }

  /// Makes a tunnel interface, which is there for as long as the descriptor is open.
  func openTunnel(_ interface: String) throws -> CInt {
    try inside {
      let descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { throw Failure(description: "cannot open a tunnel: error \(errno)") }
      // struct ifreq: the name, then IFF_TUN | IFF_NO_PI.
      var request = [UInt8](repeating: 0, count: 40)
      for (i, byte) in interface.utf8.prefix(15).enumerated() { request[i] = byte }
      (request[16], request[17]) = (0x01, 0x10)
      let setInterface: UInt = 0x4004_54ca
      guard ioctl(descriptor, setInterface, &request) == 0 else {
        close(descriptor)
        throw Failure(description: "cannot make a tunnel: error \(errno)")
      }
      return descriptor
    }
  }

  private static func enter(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    // Glibc shows setns only to those who ask for GNU extensions.
    guard descriptor >= 0, let symbol = dlsym(nil, "setns") else { throw Failure(description: "cannot open \(path)") }
    let setns = unsafeBitCast(symbol, to: (@convention(c) (CInt, CInt) -> CInt).self)
    guard setns(descriptor, 0) == 0 else { throw Failure(description: "cannot enter \(path): error \(errno)") }
  }

  private static func run(_ command: String, input: String? = nil) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command.split(separator: " ").map(String.init)
    let (output, pipe) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = output
    process.standardInput = pipe
    try process.run()
    try pipe.fileHandleForWriting.write(contentsOf: Data((input ?? "").utf8))
    try pipe.fileHandleForWriting.close()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(command): \(input ?? "") \(String(decoding: text, as: UTF8.self))")
    }
  }
}

extension NetworkAddress {
  /// From digits, without a port; a test's own words are right.
  static func host(_ text: String) throws -> NetworkAddress { try NetworkAddress(text, defaultPort: 0) }
}
