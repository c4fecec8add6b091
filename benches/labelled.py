#!/usr/bin/env python3
"""Makes tests/data/checks/planted.jsonl: the correct pairs of tests/data/checks/pairs.jsonl, each with one
error of benches/planted.py. The same input always gives the same file."""

import json
import pathlib
import random

from planted import PLANTS

HERE = pathlib.Path(__file__).resolve().parent.parent
SET = HERE / "tests/data/checks/pairs.jsonl"
OUT = HERE / "tests/data/checks/planted.jsonl"
# Kinds that pairs.jsonl has, planted by hand.
BY_HAND = {"a digit changed", "a number lost", "million to billion", "another number in words", "another unit", "another year", "another month", "another weekday"}
# At most so many pairs of a kind.
MOST = 90
# What a summary may not bring in, with the check that finds it.
BROUGHT_IN = {
    "an organisation brought into a summary": ("name", "La Cour des comptes a réagi.", "The Supreme Court reacted."),
    "a country brought into a summary": ("name", "La Slovénie suit l'affaire.", "Slovenia follows the matter."),
    "a quotation brought into a summary": ("quote", "Il vise les « bonnets verts ».", "He blames the “green caps”."),
}
# What a summary may turn.
TURNED = ["a negation lost", "a negation added"]


def planted(pairs):
    """Yields a pair for each kind of error and each correct pair that the error fits."""
    for kind, (plant, flags) in PLANTS.items():
        rows = []
        for pair in pairs:
            if kind in BY_HAND or pair["summary"]:
                continue
            target = plant(pair, random.Random(f"{kind} {pair['id']}"))
            if target is not None and target != pair["target"]:
                rows.append(pair | {"id": f"{pair['id']}: {kind}", "kind": kind, "planted": sorted(flags)[-1], "target": target})
        yield from rows[:MOST]
    for kind, (flag, fr, en) in BROUGHT_IN.items():
        for pair in pairs:
            if pair["summary"] and pair["from"] == pair["to"]:
                target = f"{pair['target']} {fr if pair['to'] == 'fr' else en}"
                yield pair | {"id": f"{pair['id']}: {kind}", "kind": kind, "planted": flag, "target": target}
    for kind in TURNED:
        plant, flags = PLANTS[kind]
        for pair in pairs:
            if pair["summary"] and pair["from"] == pair["to"]:
                target = plant(pair, random.Random(f"{kind} {pair['id']}"))
                if target is not None and target != pair["target"]:
                    kind_in_summary = f"{kind} in a summary"
                    yield pair | {"id": f"{pair['id']}: {kind_in_summary}", "kind": kind_in_summary, "planted": sorted(flags)[-1], "target": target}


def main():
    pairs = [json.loads(line) for line in open(SET, encoding="utf-8")]
    pairs = [pair for pair in pairs if not pair["planted"]]
    with open(OUT, "w", encoding="utf-8") as out:
        for pair in planted(pairs):
            out.write(json.dumps(pair, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
