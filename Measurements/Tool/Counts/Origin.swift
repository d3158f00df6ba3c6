import MeasurementBudgets

extension InstructionBudgets.Origin {
  /// This build.
  static var here: Self { Self(processor: processor, compiler: compiler) }

  private static var processor: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "other"
    #endif
  }

  private static var compiler: String {
    #if compiler(>=6.5)
      "6.5-or-later"
    #elseif compiler(>=6.4)
      "6.4"
    #else
      "6.3"
    #endif
  }
}
