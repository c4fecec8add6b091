"""See scripts/pictures. Usage: picture.py END SUMMARIES, which prints an SVG."""

import json
import sys
import textwrap
from xml.sax.saxutils import escape

# The rows of the table: one that the checks do not doubt, and one that they do.
ROWS = ["input/2026-11-17-reserve-du-haut-pays.txt", "input/2026-11-15-ligne-ferroviaire.md"]
COLUMNS = ["title_fr", "title_en", "summary_fr", "summary_en", "flags"]
WIDTH = 920
# Left edges of the columns, and the characters that fit into one.
LEFT, CHARACTERS = [10, 110, 510], 52
MONO = 'ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace'
SANS = 'system-ui,"DejaVu Sans",sans-serif'

with open(sys.argv[1], encoding="utf-8") as file:
    end = ["$ scripts/run", *file.read().splitlines()]
with open(sys.argv[2], encoding="utf-8") as file:
    table = {row["source"]: row for row in map(json.loads, file)}
rows = [table[source] for source in ROWS]

parts = []


def text(x, y, style, content):
    parts.append(f'<text x="{x}" y="{y}" class="{style}" xml:space="preserve">{escape(content)}</text>')


bottom = 26 + 19 * len(end)
parts.append(f'<rect x="10" y="10" width="{WIDTH - 20}" height="{bottom - 10}" rx="8" fill="#0d1117"/>')
for at, line in enumerate(end):
    text(28, 34 + 19 * at, "m", line)
y = bottom + 22
for column in COLUMNS:
    values = [row[column] for row in rows]
    values = [" ".join(value) if isinstance(value, list) else value for value in values]
    cells = [textwrap.wrap(value, CHARACTERS) for value in values]
    height = 12 + 17 * max(len(lines) for lines in cells)
    parts.append(f'<rect x="10" y="{y}" width="{WIDTH - 20}" height="{height}" fill="#ffffff" stroke="#c9d1d9"/>')
    text(LEFT[0] + 8, y + 19, "h", column)
    for left, lines in zip(LEFT[1:], cells):
        parts.append(f'<line x1="{left}" y1="{y}" x2="{left}" y2="{y + height}" stroke="#c9d1d9"/>')
        for at, line in enumerate(lines):
            text(left + 8, y + 19 + 17 * at, "c", line)
    y += height

print(
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 12}" width="{WIDTH}" role="img" '
    'aria-label="The end of a run in the terminal, and two articles of its table">'
)
print(
    f"<style>.m{{font:14px {MONO};fill:#e6edf3}}.h{{font:bold 13px {SANS};fill:#57606a}}.c{{font:13px {SANS};fill:#1f2328}}</style>"
)
print(f'<rect width="{WIDTH}" height="{y + 12}" fill="#f6f8fa"/>')
print("\n".join(parts))
print("</svg>")
