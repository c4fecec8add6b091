#!/usr/bin/env python3
"""Measures the checks with the program's own command, `depeche check`.

    benches/checks.py                     update the table in docs/checks.md from tests/data/checks/pairs.jsonl
    benches/checks.py --news FILE.jsonl   measure false alarms on your own translations, one object with `fr` and
                                          `en` per line, and how many errors planted into them are found

Needs target/release/depeche, or set DEPECHE to another binary.
"""

import collections
import csv
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent.parent
DEPECHE = os.environ.get("DEPECHE", str(HERE / "target/release/depeche"))
SET = HERE / "tests/data/checks/pairs.jsonl"
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


NUMBERS = {
    "en": "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty".split(),
    "fr": "deux trois quatre cinq six sept huit dix onze douze quinze vingt trente quarante cinquante soixante".split(),
}
MONTHS = {
    "en": "January February April June July August September October November December".split(),
    "fr": "janvier février avril juin juillet août septembre octobre novembre décembre".split(),
}
DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
}
SCALES = {
    "en": {"million": "billion", "billion": "million", "thousand": "million"},
    "fr": {"millions": "milliards", "milliards": "millions", "million": "milliard"},
}
UNITS = {
    "en": {"%": " euros", "percent": "euros", "dollars": "euros", "euros": "dollars", "kilometres": "miles", "days": "weeks", "hours": "days"},
    "fr": {"%": " euros", "dollars": "euros", "euros": "dollars", "kilomètres": "miles", "jours": "semaines", "heures": "jours"},
}


def replace(text, places, change):
    places = list(places)
    if not places:
        return None
    place = random.choice(places)
    return text[: place.start()] + change(place.group()) + text[place.end() :]


def other(words):
    return lambda word: random.choice([choice for choice in words if choice != word])


def words(text, choices, before=""):
    return re.finditer(before + r"\b(?:" + "|".join(map(re.escape, choices)) + r")\b", text)


def digit(text, _):
    def change(number):
        at = random.randrange(len(number))
        return number[:at] + random.choice([d for d in "123456789" if d != number[at]]) + number[at + 1 :]

    return replace(text, re.finditer(r"\d+", text), change)


PLANTS = {
    "a digit changed": (digit, {"number", "date"}),
    "a number lost": (lambda text, _: replace(text, re.finditer(r"(?<=\s)\d[\d.,\u00a0]*\s", text), lambda _: ""), {"number", "date"}),
    "million to billion": (lambda text, lang: replace(text, words(text, SCALES[lang], r"(?<=\d[\s\u00a0])"), SCALES[lang].get), {"number"}),
    "another number in words": (lambda text, lang: replace(text, words(text, NUMBERS[lang]), other(NUMBERS[lang])), {"number"}),
    "another unit": (
        lambda text, lang: replace(
            text, re.finditer(r"(?<=\d)[\s\u00a0]?(?:" + "|".join(UNITS[lang]) + r")(?!\w)", text), lambda unit: " " + UNITS[lang][unit.strip()].strip()
        ),
        {"number"},
    ),
    "another year": (lambda text, _: replace(text, re.finditer(r"\b(?:19|20)\d\d\b", text), lambda year: str(int(year) + random.choice([-3, -1, 1, 2]))), {"number", "date"}),
    "another month": (lambda text, lang: replace(text, words(text, MONTHS[lang]), other(MONTHS[lang])), {"date"}),
    "another weekday": (lambda text, lang: replace(text, words(text, DAYS[lang]), other(DAYS[lang])), {"date"}),
}


def news(path):
    random.seed(1)
    lines = [json.loads(line) for line in open(path, encoding="utf-8")]
    for source, target in (("fr", "en"), ("en", "fr")):
        pairs = [{"id": str(at), "source": line[source], "target": line[target], "from": source, "to": target} for at, line in enumerate(lines)]
        alarms = collections.Counter(flag for flags in check(pairs).values() for flag in flags)
        print(f"\n{source} to {target}: {len(pairs)} sentences\n\n| check | false alarms | of all sentences |\n|---|---|---|")
        for name, count in sorted(alarms.items()):
            print(f"| `{name}` | {count} | {100 * count / len(pairs):.2f} % |")
        planted = []
        for pair in pairs:
            for kind, (plant, _) in PLANTS.items():
                text = plant(pair["target"], target)
                if text and text != pair["target"]:
                    planted.append(pair | {"id": f"{kind}#{pair['id']}", "target": text, "kind": kind})
        found = check(planted)
        print("\n| planted | times | found |\n|---|---|---|")
        for kind, (_, flags) in PLANTS.items():
            members = [pair["id"] for pair in planted if pair["kind"] == kind]
            caught = sum(bool(found.get(member, set()) & flags) for member in members)
            print(f"| {kind} | {len(members)} | {caught} ({100 * caught / max(1, len(members)):.1f} %) |")


def main():
    if sys.argv[1:2] == ["--news"]:
        return news(sys.argv[2])
    made = table([json.loads(line) for line in open(SET, encoding="utf-8")])
    print(made)
    text = DOC.read_text(encoding="utf-8")
    begin, end = "<!-- made by benches/checks.py -->\n", "<!-- end -->"
    before, rest = text.split(begin)
    DOC.write_text(before + begin + made + "\n" + end + rest.split(end)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
