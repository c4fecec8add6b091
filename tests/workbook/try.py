"""See scripts/try-workbook. Usage: try.py WORKBOOK ROWS"""

import datetime
import sys

import openpyxl

path, rows = sys.argv[1], int(sys.argv[2])
# Without links and notes, a large workbook is read row by row.
large = rows > 1000
book = openpyxl.load_workbook(path, read_only=large)
assert book.sheetnames == ["Articles", "Quarantaine", "Signalements", "Chiffres"], book.sheetnames
seen = {}
for sheet in book:
    seen[sheet.title] = 0
    for cells in sheet.iter_rows(min_row=2):
        seen[sheet.title] += 1
        assert all(cell.data_type != "f" for cell in cells), f"a formula in {sheet.title}, row {cells[0].row}"
assert seen["Articles"] + seen["Quarantaine"] == rows, seen
assert seen["Signalements"] > 0, seen

first = next(book["Articles"].iter_rows(min_row=2, max_row=2))
assert isinstance(first[0].value, datetime.datetime), first[0].value
assert isinstance(first[15].value, int) and isinstance(first[16].value, float), [cell.value for cell in first]
if not large:
    sheet = book["Articles"]
    assert sheet.freeze_panes == "C2" and sheet.auto_filter.ref == f"A1:W{seen['Articles'] + 1}", (sheet.freeze_panes, sheet.auto_filter.ref)
    assert "rust_xlsxwriter" not in (book.properties.creator or "")
    targets = [cell.hyperlink.target for cell in first if cell.hyperlink]
    assert targets[0].startswith("https://") and targets[1].startswith("../input/"), targets
    notes = [row[5].comment.text for row in sheet.iter_rows(min_row=2) if row[5].comment]
    assert any("ne correspond pas à la source" in note for note in notes), notes
    titles = [row[1].value for row in sheet.iter_rows(min_row=2)]
    assert any(title.startswith("<script>") for title in titles), titles
print(f"  openpyxl: {seen}")
