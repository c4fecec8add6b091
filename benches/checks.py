#!/usr/bin/env python3
"""Measures the checks with the program's own command, `depeche check`.

    benches/checks.py                     update the tables in docs/checks.md from the pairs in tests/data/checks
    benches/checks.py --news FILE.jsonl   measure false alarms on your own translations, one object with `fr` and
                                          `en` per line, and how many errors planted into them are found; names of
                                          other fields after FILE.jsonl are English translations of `fr` too

Needs target/release/depeche, or set DEPECHE to another binary. The first needs the Python package
translate-toolkit, whose pofilter is measured on the same pairs.
"""

import collections
import csv
import html
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from planted import PLANTS

HERE = pathlib.Path(__file__).resolve().parent.parent
DEPECHE = os.environ.get("DEPECHE", str(HERE / "target/release/depeche"))
SET = HERE / "tests/data/checks/pairs.jsonl"
PLANTED = HERE / "tests/data/checks/planted.jsonl"
# At most so many errors of a kind are planted into the news.
MOST = 400
DOC = HERE / "docs/checks.md"


def check(pairs):
    """Returns the flags of each pair by its id. Pairs with the same languages and relation share a table."""
    found = {}
    kinds = collections.defaultdict(list)
    for pair in pairs:
        kinds[pair["from"], pair["to"], pair.get("summary", False)].append(pair)
    for (source, target, summary), members in kinds.items():
        with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", encoding="utf-8") as table:
            rows = csv.writer(table)
            rows.writerow(["id", "source", "target"])
            rows.writerows([pair["id"], pair["source"], pair["target"]] for pair in members)
            table.flush()
            command = [DEPECHE, "check", table.name, "--source", "source", "--target", "target", "--jsonl"]
            command += ["--from", source, "--to", target] + ["--summary"] * summary
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode not in (0, 3):
                sys.exit(run.stderr)
            for line in run.stdout.splitlines():
                row = json.loads(line)
                found[row["id"]] = {flag["check"] for flag in row["flags"]}
    return found


def table(pairs):
    """Returns a Markdown table of precision and recall by check."""
    found = check(pairs)
    planted, caught, alarms = collections.Counter(), collections.Counter(), collections.Counter()
    for pair in pairs:
        flags = found.get(pair["id"], set())
        if pair["planted"]:
            planted[pair["planted"]] += 1
            caught[pair["planted"]] += pair["planted"] in flags
        else:
            alarms.update(flags)
    lines = ["| check | planted | found | false alarms | precision | recall |", "|---|---|---|---|---|---|"]
    for name in sorted(planted):
        precision = caught[name] / max(1, caught[name] + alarms[name])
        recall = caught[name] / planted[name]
        lines.append(f"| `{name}` | {planted[name]} | {caught[name]} | {alarms[name]} | {precision:.3f} | {recall:.3f} |")
    right = sum(not pair["planted"] for pair in pairs)
    lines.append(f"\n{right} correct pairs, {len(pairs) - right} with one planted error each.")
    return "\n".join(lines)


def news(path, systems):
    lines = [json.loads(line) for line in open(path, encoding="utf-8")]
    runs = [("fr", "en", "en"), ("en", "fr", "fr")] + [("fr", "en", system) for system in systems]
    for source, to, field in runs:
        pairs = [{"id": str(at), "source": line[source], "target": html.unescape(line[field]), "from": source, "to": to} for at, line in enumerate(lines)]
        found = check(pairs)
        alarms = collections.Counter(flag for flags in found.values() for flag in flags)
        print(f"\n{source} to {field}: {len(pairs)} sentences\n\n| check | flagged | of all sentences |\n|---|---|---|")
        for name, count in [*sorted(alarms.items()), ("any", len(found))]:
            print(f"| `{name}` | {count} | {100 * count / len(pairs):.2f} % |")
        planted = []
        for kind, (plant, _) in PLANTS.items():
            made = ((pair, plant(pair, random.Random(f"{kind} {pair['id']}"))) for pair in pairs)
            fitting = [pair | {"id": f"{kind}#{pair['id']}", "target": text, "kind": kind} for pair, text in made if text is not None and text != pair["target"]]
            planted += fitting[:MOST]
        found = check(planted)
        print("\n| planted | times | found |\n|---|---|---|")
        for kind, (_, flags) in PLANTS.items():
            members = [pair["id"] for pair in planted if pair["kind"] == kind]
            caught = sum(bool(found.get(member, set()) & flags) for member in members)
            print(f"| {kind} | {len(members)} | {caught} ({100 * caught / max(1, len(members)):.1f} %) |")


def pofilter(pairs):
    """Returns the ids of the pairs that translate-toolkit flags, with all of its tests."""
    from translate.filters.checks import TeeChecker
    from translate.storage.po import pounit

    checker, flagged = TeeChecker(), set()
    for pair in pairs:
        unit = pounit(pair["source"])
        unit.target = pair["target"]
        if checker.run_filters(unit):
            flagged.add(pair["id"])
    return flagged


def kinds(pairs, correct):
    """Returns a Markdown table of how many errors of each kind are found, by pofilter too."""
    found, other = check(pairs), pofilter(pairs)
    share = lambda count, total: f"{count} ({100 * count / total:.1f} %)"
    lines = ["| planted by a script | times | found | flagged by pofilter |", "|---|---|---|---|"]
    for kind in dict.fromkeys(pair["kind"] for pair in pairs):
        members = [pair for pair in pairs if pair["kind"] == kind]
        caught = sum(pair["planted"] in found.get(pair["id"], set()) for pair in members)
        others = "" if members[0].get("summary") else share(sum(pair["id"] in other for pair in members), len(members))
        lines.append(f"| {kind} | {len(members)} | {share(caught, len(members))} | {others} |")
    alarms, others = check(correct), pofilter(correct)
    lines.append(f"| nothing (correct translations) | {len(correct)} | {share(len(alarms), len(correct))} | {share(len(others), len(correct))} |")
    return "\n".join(lines)


def main():
    if sys.argv[1:2] == ["--news"]:
        return news(sys.argv[2], sys.argv[3:])
    read = lambda path: [json.loads(line) for line in open(path, encoding="utf-8")]
    pairs = read(SET)
    translations = [pair for pair in pairs if not pair["planted"] and not pair.get("summary")]
    made = table(pairs) + "\n\n" + kinds(read(PLANTED), translations)
    print(made)
    text = DOC.read_text(encoding="utf-8")
    begin, end = "<!-- made by benches/checks.py -->\n", "<!-- end -->"
    before, rest = text.split(begin)
    DOC.write_text(before + begin + made + "\n" + end + rest.split(end)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
