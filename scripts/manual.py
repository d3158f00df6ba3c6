#!/usr/bin/env python3
"""Writes the manual pages, packaging/man/*.1, from what the command says of itself.

    scripts/manual.py [--check] COMMAND

COMMAND is the built `roamkey`. What it cannot say of itself (files, examples) stands in packaging/man/sections, one
file a page. With --check nothing is written: the exit code is 1 where a page is not what would be written.
"""

import json
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent
PAGES = TREE / "packaging" / "man"


def escaped(text):
    """Text for roff: nothing in it is an order, and a hyphen is one that can be searched for and copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("'", "\\(aq")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def words(text):
    """Prose: options and what stands in backquotes in bold."""
    text = escaped(text)
    text = re.sub(r"`([^`\n]+)`", r"\\fB\1\\fP", text)
    return re.sub(r"(?<![\w\\])(\\-\\-[a-z]+(?:\\-[a-z]+)*)", r"\\fB\1\\fP", text)


def paragraphs(text):
    return ".PP\n".join(words(" ".join(part.split())) + "\n" for part in text.strip().split("\n\n"))


def spelling(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def argument_label(argument):
    """`--key file`, `-h, --help` or `host`, in roff."""
    value = "\\fI" + escaped(argument.get("valueName", "value")) + "\\fP"
    if argument["kind"] == "positional":
        return value
    names = ", ".join("\\fB" + escaped(spelling(name)) + "\\fP" for name in argument["names"])
    return names if argument["kind"] == "flag" else f"{names} {value}"


def argument_text(argument):
    text = argument.get("abstract", "")
    values = argument.get("allValues")
    if values and not all(value in text for value in values):
        text += f" One of {', '.join(values)}."
    if "defaultValue" in argument:
        text += f" Default: {argument['defaultValue']}."
    return words(" ".join(text.split()))


def is_shown(argument):
    return argument.get("shouldDisplay", True)


def synopsis(name, command):
    parts = []
    for argument in filter(is_shown, command.get("arguments", [])):
        if argument.get("valueName") in ("help", "version"):
            continue
        if argument["kind"] == "positional":
            label = argument_label(argument)
        else:
            value = "" if argument["kind"] == "flag" else " " + "\\fI" + escaped(argument["valueName"]) + "\\fP"
            label = "\\fB" + escaped(spelling(argument["preferredName"])) + "\\fP" + value
        if argument.get("isRepeating"):
            label += " ..."
        parts.append(f"[{label}]" if argument.get("isOptional") else label)
    return f".B {escaped(name)}\n" + "\n".join(parts) + "\n"


def release(version):
    """The day of a version, from CHANGELOG.md."""
    day = re.search(rf"^## \[{re.escape(version)}\] - (\S+)$", (TREE / "CHANGELOG.md").read_text(), re.MULTILINE)
    return day.group(1) if day else sys.exit(f"CHANGELOG.md has no heading `## [{version}] - DATE`")


def page(name, command, subcommands, pages, version):
    title = name.replace(" ", "-")
    text = [f'.\\" Written by scripts/manual.py from what the command says of itself: change that, then `make manual`.']
    text.append(f'.TH {title.upper()} 1 "{release(version)}" "Roamkey {version}" "Roamkey Manual"\n.nh\n.ad l')
    text.append(f".SH NAME\n{escaped(title)} \\- {escaped(command['abstract'].rstrip('.'))}")
    text.append(".SH SYNOPSIS")
    if subcommands:
        text.append(f".B {escaped(name)}\n\\fIcommand\\fP\n[\\fIargument\\fP ...]")
    else:
        text.append(synopsis(name, command).rstrip())
    text.append(".SH DESCRIPTION\n" + paragraphs(command.get("discussion") or command["abstract"]).rstrip())
    if subcommands:
        text.append(".SH COMMANDS")
        for sub in subcommands:
            text.append(f".TP\n.BR {title}\\-{sub['commandName']} (1)\n{words(sub['abstract'])}")
    arguments = [a for a in command.get("arguments", []) if is_shown(a)]
    text.append(".SH OPTIONS")
    for argument in arguments:
        text.append(f".TP\n{argument_label(argument)}\n{argument_text(argument)}")
    sections = PAGES / "sections" / f"{title}.roff"
    if sections.exists():
        text.append(sections.read_text().rstrip())
    others = [other for other in pages if other != title]
    text.append(".SH SEE ALSO\n" + ",\n".join(f".BR {escaped(other)} (1)" for other in others).replace(",\n", " ,\n"))
    return "\n".join(text) + "\n"


def all_commands(name, command):
    """A command, then those below it: name, what it says of itself, its subcommands."""
    below = [c for c in command.get("subcommands", []) if c.get("shouldDisplay", True) and c["commandName"] != "help"]
    yield name, command, below
    for sub in below:
        yield from all_commands(f"{name} {sub['commandName']}", sub)


def all_pages(binary):
    dump = json.loads(subprocess.run([binary, "--experimental-dump-help"], check=True, capture_output=True).stdout)
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    commands = list(all_commands("roamkey", dump["command"]))
    names = [name.replace(" ", "-") for name, _, _ in commands]
    result = {}
    for name, command, subcommands in commands:
        result[f"{name.replace(' ', '-')}.1"] = page(name, command, subcommands, names, version)
    return result


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    pages = all_pages(arguments[0])
    there = {path.name: path.read_text() for path in PAGES.glob("*.1")}
    if "--check" in sys.argv:
        stale = sorted(name for name in pages.keys() | there.keys() if pages.get(name) != there.get(name))
        if stale:
            sys.exit(f"not what the command says of itself, type `make manual`: {', '.join(stale)}")
        return
    for name in there.keys() - pages.keys():
        (PAGES / name).unlink()
    for name, text in pages.items():
        (PAGES / name).write_text(text)


main()
