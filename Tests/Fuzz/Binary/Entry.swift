import FuzzTargets
import Glibc

/// The target that `ROAMKEY_FUZZ_TARGET` names; without it the targets are listed, for scripts/fuzz.sh.
private let target: FuzzTarget = {
  let all = FuzzTargets.all + CommandTargets.all
  let name = getenv("ROAMKEY_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = all.first(where: { $0.name == name }) else {
    print("targets: \(all.map(\.name).joined(separator: " "))")
    for target in all { print("longest \(target.name) \(target.longestInput)") }
    // `exit` would have libFuzzer report that the target has ended it.
    fflush(nil)
    _exit(name.isEmpty ? 0 : 2)
  }
  return target
}()

/// What libFuzzer calls for each input (https://llvm.org/docs/LibFuzzer.html).
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // -1: not worth keeping.
  guard count <= target.longestInput else { return -1 }
  _ = target.run(UnsafeRawBufferPointer(start: bytes, count: count))
  return 0
}
