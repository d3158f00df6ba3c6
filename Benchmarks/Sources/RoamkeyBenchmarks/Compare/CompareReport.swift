/// The results of a comparison, for people and for programs.
struct CompareReport: Sendable {
  let rows: [Row]
  let results: CompareResults
  let runs: Int
  /// The machine, as it was at the start.
  let machine: String

  // MARK: For people

  var text: String {
    let introduction = """
      Medians of \(runs) \(runs == 1 ? "run" : "runs"), taken in turns; server and clients in a process each, on \
      127.0.0.1; \(machine)
      """
    return ([introduction] + rows.map(text)).joined(separator: "\n\n")
  }

  private func text(_ row: Row) -> String {
    var lines = [["\(row.letter)  \(row.title)", "", "to ENet", "to raw", "target", ""]]
    for figure in row.figures {
      lines.append(["   \(figure.heading)"])
      for competitor in row.competitors where results.median(row, figure, competitor) != nil {
        lines.append(line(row, figure, competitor))
      }
    }
    return Text.table(lines)
  }

  private func line(_ row: Row, _ figure: RowFigure, _ competitor: Competitor) -> [String] {
    var cells = [
      "     \(competitor.title)",
      Text.number(results.median(row, figure, competitor), decimals: figure.decimals),
      ratio(row, figure, competitor, to: .enet), ratio(row, figure, competitor, to: .raw),
    ]
    if let target = figure.targets[competitor] {
      cells.append("\(figure.isRate ? ">=" : "<=") \(target.words)")
      cells.append(results.verdict(row, figure, competitor)?.words ?? "-")
    }
    return cells
  }

  private func ratio(_ row: Row, _ figure: RowFigure, _ competitor: Competitor, to other: Competitor) -> String {
    guard figure.isCompared, competitor.isOurs, let ratio = results.ratio(row, figure, competitor, to: other) else {
      return ""
    }
    return "\(Text.number(ratio, decimals: 2)) x"
  }

  // MARK: For programs

  var json: JSON {
    .object([
      ("benchmark", .text("compare")), ("machine", .text(machine)), ("runs", .integer(runs)),
      ("rows", .array(rows.map(json))), ("failures", .array(results.failures.map(JSON.text))),
    ])
  }

  private func json(_ row: Row) -> JSON {
    .object([
      ("row", .text(String(row.letter))), ("title", .text(row.title)),
      (
        "figures",
        .array(
          row.figures.map { figure in
            .object([
              ("name", .text(figure.name)), ("unit", .text(figure.heading)),
              ("competitors", .array(row.competitors.map { json(row, figure, $0) })),
            ])
          })
      ),
    ])
  }

  private func json(_ row: Row, _ figure: RowFigure, _ competitor: Competitor) -> JSON {
    var fields: [(String, JSON)] = [
      ("name", .text(competitor.rawValue)), ("median", .number(results.median(row, figure, competitor))),
      ("runs", .array(results.all(row, figure, competitor).map { .number($0) })),
    ]
    if competitor.isOurs && figure.isCompared {
      fields.append(("ratioToEnet", .number(results.ratio(row, figure, competitor, to: .enet))))
      fields.append(("ratioToRaw", .number(results.ratio(row, figure, competitor, to: .raw))))
    }
    if let target = figure.targets[competitor] {
      fields.append(("target", .text("\(figure.isRate ? ">=" : "<=") \(target.words)")))
      let verdict = results.verdict(row, figure, competitor)
      fields.append(("met", verdict.map { .bool($0.isMet) } ?? .number(nil)))
      fields.append(("margin", .number(verdict?.margin)))
    }
    return .object(fields)
  }
}
