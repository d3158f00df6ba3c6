import FuzzTargets
import Glibc

/// The target that `ROAMKEY_FUZZ_TARGET` names; without it the targets are listed, for scripts/fuzz.sh.
private let target: FuzzTarget = {
  let name = getenv("ROAMKEY_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = FuzzTargets.all.first(where: { $0.name == name }) else {
    print("targets: \(FuzzTargets.all.map(\.name).joined(separator: " "))")
    for target in FuzzTargets.all { print("longest \(target.name) \(target.longestInput)") }
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
