"""Calculates a document, and reads what its formulas came to.

A call to LibreOffice costs about a millisecond, a cell of an array about a microsecond: so everything is read in
rectangles, and small rectangles that are near each other are read as one.
"""

import re

ALL_RESULTS = 7
ERRORS = 4
# com.sun.star.util.NumberFormat.LOGICAL
LOGICAL = 1024
# What a call costs, in cells that could be read instead.
CALL = 1000
CELLS_PER_READ = 100_000
CELLS_PER_FRAME = 50_000
# Fewer cells with errors than these are asked one by one.
FEW = 40
# The errors that LibreOffice shows by a name; it shows others as Err:502.
CODES = {
    "#NULL!": 521, "#DIV/0!": 532, "#VALUE!": 519, "#REF!": 524, "#NAME?": 525, "#NUM!": 503, "#N/A": 32767,
}  # fmt: skip

ADDRESS = re.compile(r"([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?")


def calculate(document, send):
    """Sends frames {"sheet", "runs": [[column, row, [value, …]], …]}: numbers, texts, booleans, [error code], or null."""
    document.calculateAll()
    for sheet in document.Sheets:
        send({"sheet": sheet.Name, "runs": []})
        for runs in frames(sheet_runs(document, sheet)):
            send({"runs": runs})


def frames(runs):
    batch, size = [], 0
    for run in runs:
        batch.append(run)
        size += len(run[2]) + 4
        if size > CELLS_PER_FRAME:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def sheet_runs(document, sheet):
    """Vertical runs of formula cells: (column, row, values)."""
    rectangles = parse(sheet.queryFormulaCells(ALL_RESULTS))
    truths = None
    for box, members in boxes(rectangles):
        cells = sheet.getCellRangeByPosition(*box).getDataArray()
        columns = list(zip(*cells))
        errors = None
        for left, top, right, bottom in members:
            for column in range(left, right + 1):
                values = columns[column - box[0]][top - box[1] : bottom - box[1] + 1]
                has_truth = 1.0 in values or 0.0 in values
                if has_truth and truths is None:
                    truths = Truths(document, sheet)
                if has_truth and column in truths.columns:
                    values = truths.mark(column, top, values)
                if None in values:
                    if errors is None:
                        errors = Errors(document, sheet, box)
                    values = errors.mark(column, top, values)
                yield column, top, values


def parse(ranges):
    """The rectangles (left, top, right, bottom) of a set of ranges on one sheet."""
    text = ranges.getRangeAddressesAsString() if ranges is not None else ""
    if not text:
        return []
    # Data.A1:B2,Data.C5 or 'My ''own'' data'.A1:B2,'My ''own'' data'.C5
    prefix = re.match(r"\$?(?:'(?:[^']|'')*'|[^'.]+)\.", text).group(0)
    found = []
    for item in text[len(prefix) :].split("," + prefix):
        left, top, right, bottom = ADDRESS.fullmatch(item).groups()
        first_column, first_row = column_of(left), int(top) - 1
        last_column = column_of(right) if right else first_column
        found.append((first_column, first_row, last_column, int(bottom) - 1 if bottom else first_row))
    return found


def column_of(letters, known={}):
    column = known.get(letters)
    if column is None:
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        column = known[letters] = column - 1
    return column


def area(rectangle):
    return (rectangle[2] - rectangle[0] + 1) * (rectangle[3] - rectangle[1] + 1)


def around(one, other):
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def boxes(rectangles):
    """What to read: boxes, and the rectangles in each, cut where they are too tall to be read at once."""
    box, members, apart = None, [], 0
    for rectangle in sorted(pieces(rectangles), key=lambda each: (each[1], each[0])):
        cost = CALL + area(rectangle)
        if box is not None:
            both = around(box, rectangle)
            if area(both) <= CELLS_PER_READ and CALL + area(both) <= apart + cost:
                box, apart = both, apart + cost
                members.append(rectangle)
                continue
            yield box, members
        box, members, apart = rectangle, [rectangle], cost
    if box is not None:
        yield box, members


def pieces(rectangles):
    for left, top, right, bottom in rectangles:
        rows = max(1, CELLS_PER_READ // (right - left + 1))
        for row in range(top, bottom + 1, rows):
            yield left, row, right, min(bottom, row + rows - 1)


class Truths:
    """The cells of a sheet that are formatted as booleans: LibreOffice has no others than formatted numbers."""

    def __init__(self, document, sheet):
        self.columns = {}
        formats = sheet.getUniqueCellFormatRanges()
        is_logical = {}
        for index in range(formats.getCount()):
            cells = formats.getByIndex(index)
            key = cells.getPropertyValue("NumberFormat")
            if key not in is_logical:
                is_logical[key] = bool(document.NumberFormats.getByKey(key).getPropertyValue("Type") & LOGICAL)
            if is_logical[key]:
                for left, top, right, bottom in parse(cells):
                    for column in range(left, right + 1):
                        self.columns.setdefault(column, []).append(range(top, bottom + 1))

    def mark(self, column, top, values):
        values = list(values)
        for rows in self.columns[column]:
            for row in range(max(rows.start, top), min(rows.stop, top + len(values))):
                value = values[row - top]
                if value == 1.0 or value == 0.0:
                    values[row - top] = value == 1.0
        return values


class Errors:
    """The codes of the errors in a box of cells."""

    def __init__(self, document, sheet, box):
        self.sheet = sheet
        failed = parse(sheet.getCellRangeByPosition(*box).queryFormulaCells(ERRORS))
        self.cells = {(column, row) for each in failed for column, row in positions(each)}
        self.shown = None
        if len(self.cells) > FEW:
            self.box = box
            self.shown = shown_texts(document, sheet, box)

    def mark(self, column, top, values):
        return [
            [self.code(column, row)] if value is None and (column, row) in self.cells else value
            for row, value in enumerate(values, top)
        ]

    def code(self, column, row):
        if self.shown is not None:
            text = self.shown[row - self.box[1]][column - self.box[0]]
            if text in CODES:
                return CODES[text]
            if text.startswith("Err:") and text[4:].isdigit():
                return int(text[4:])
        return self.sheet.getCellByPosition(column, row).getError()


def positions(rectangle):
    left, top, right, bottom = rectangle
    return ((column, row) for row in range(top, bottom + 1) for column in range(left, right + 1))


def shown_texts(document, sheet, box):
    """What cells show, as copying them gives it; None where lines do not tell rows."""
    controller = document.getCurrentController()
    if controller is None:
        return None
    controller.select(sheet.getCellRangeByPosition(*box))
    copied = controller.getTransferable()
    for flavor in copied.getTransferDataFlavors():
        if flavor.MimeType.startswith("text/plain;charset=utf-16"):
            text = copied.getTransferData(flavor)
            text = text if isinstance(text, str) else text.value.decode("utf-16")
            rows = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
            # Rows that a filter hides are not copied, and texts may have lines and tabs of their own.
            is_whole = len(rows) == box[3] - box[1] + 1
            return rows if is_whole and all(len(row) == box[2] - box[0] + 1 for row in rows) else None
    return None
