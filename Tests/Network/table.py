"""The results as people read them."""

from __future__ import annotations

from typing import Dict, List

from stage import Report, Row, Story


def milliseconds(seconds: float) -> str:
    """Without a fraction."""
    return f"{seconds * 1000:.0f} ms"


def sentence(story: Story, report: Report) -> str:
    """One story's result, with what is wrong about it."""
    verdict = "passed" if report.is_passed() else "FAILED"
    lines = [f"{verdict}: {story.number} {story.name} ({report.seconds:.0f} s)"]
    lines += [f"  {note}" for note in report.notes] if not report.is_passed() else []
    lines += [f"  wrong: {row_words(row)}" for row in report.rows if not row.is_kept()]
    return "\n".join(lines + [f"  wrong: {words}" for words in report.wrong])


def row_words(row: Row) -> str:
    """A row that is not kept, in words."""
    figures = f"up {milliseconds(row.up)}, down {milliseconds(row.down)}"
    return f"{row.what}: {figures}; limit {row.limit_text} ({milliseconds(row.limit)})"


def markdown(stories: List[Story], reports: Dict[str, Report]) -> str:
    """All results as one table."""
    lines = [
        "| story | what happens | times | up | down | limit | RTT | result |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for story in stories:
        report = reports[story.name]
        rtt = f"{report.rtt * 1000:.1f} ms"
        for row in report.rows:
            limit = row.limit_text if row.limit_text.endswith("s") and "RTT" not in row.limit_text else ""
            limit = limit or f"{row.limit_text} = {milliseconds(row.limit)}"
            cells = [f"{story.number} {story.name}", row.what, str(row.count), milliseconds(row.up)]
            cells += [milliseconds(row.down), limit, rtt, "pass" if row.is_kept() else "**FAIL**"]
            lines.append(f"| {' | '.join(cells)} |")
        checks = "pass" if not report.wrong else f"**FAIL**: {cell(report.wrong[0])}"
        if len(report.wrong) > 1:
            checks += f" (and {len(report.wrong) - 1} more)"
        cells = [f"{story.number} {story.name}", "all other checks", "", "", "", "", rtt, checks]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(text: str) -> str:
    """Text that does not end a cell or a row."""
    return text.splitlines()[0].replace("|", "\\|")[:160] if text else ""
