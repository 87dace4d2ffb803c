"""Draws a range of a sheet, with what lies over it, as one page, and that as an image."""

import subprocess

from libreoffice import properties, url

from com.sun.star.beans import PropertyValue
import uno

# What LibreOffice prints its row and column headings in, with room, in 1/100 mm.
HEADINGS_WIDTH, HEADINGS_HEIGHT = 2600, 700
# Borders are drawn half outside of their cells.
ROOM = 100
# Longer pages than of 4.2 metres come out incomplete.
LONGEST_PAGE = 420_000
PER_INCH = 2540
# A range of which nothing is visible is not quite without a size.
LEAST_VISIBLE = 10
# Each takes a few milliseconds.
MOST_LARGE_ROWS = 200


def draw(document, job, pdftoppm, failure):
    """Writes "page.ppm", unless it were larger than the job allows."""
    if not document.Sheets.hasByName(job["sheet"]):
        raise failure("no_such_sheet")
    sheet = document.Sheets.getByName(job["sheet"])
    first_row, first_column, last_row, last_column = job["range"]
    cells = sheet.getCellRangeByPosition(first_column, first_row, last_column, last_row)
    # What is asked for is decided on before anything is drawn.
    size_of(cells, job, failure)
    make_room_for_texts(document, sheet, cells)
    width, height = size_of(cells, job, failure)
    one_page(document, sheet, cells, job, width, height)
    data = uno.Any("[]com.sun.star.beans.PropertyValue", properties(Selection=cells))
    filter_data = PropertyValue(Name="FilterData", Value=data)
    document.storeToURL(url("page.pdf"), (*properties(FilterName="calc_pdf_Export"), filter_data))
    # Lines that are thinner than a pixel are lighter instead: lines between cells are grey.
    options = ["-r", str(job["dpi"]), "-f", "1", "-l", "1", "-singlefile", "-thinlinemode", "shape"]
    drawn = subprocess.run(
        [pdftoppm, *options, "page.pdf", "page"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if drawn.returncode != 0:
        raise failure("error", detail="pdftoppm ended with status %d" % drawn.returncode)


def size_of(cells, job, failure):
    """The page's width and height, unless these were more than the job allows."""
    size = cells.Size
    if min(size.Width, size.Height) < LEAST_VISIBLE:
        raise failure("nothing_visible")
    width, height = size.Width + ROOM, size.Height + ROOM
    if job["headings"]:
        width, height = width + HEADINGS_WIDTH, height + HEADINGS_HEIGHT
    width_px, height_px = (-(-side * job["dpi"] // PER_INCH) for side in (width, height))
    is_too_long = max(width_px, height_px) > job["max_dimension_px"] or max(width, height) > LONGEST_PAGE
    if is_too_long or width_px * height_px > job["max_area_px"]:
        raise failure("picture_too_large", width_px=width_px, height_px=height_px)
    return width, height


def make_room_for_texts(document, sheet, cells):
    """Makes rows higher that have no height of their own and a large font, which Excel does as it opens a file."""
    normal = document.StyleFamilies.getByName("CellStyles").getByName("Default").CharHeight
    large = set()
    for ranges in cells.UniqueCellFormatRanges:
        if ranges.getByIndex(0).CharHeight > normal:
            for address in ranges.RangeAddresses:
                large.update(range(address.StartRow, address.EndRow + 1))
    for index in sorted(large)[:MOST_LARGE_ROWS]:
        row = sheet.Rows.getByIndex(index)
        # A row that is hidden would be shown.
        if row.IsVisible and row.OptimalHeight:
            height = row.Height
            row.OptimalHeight = True
            if row.Height < height:
                row.Height = height


def one_page(document, sheet, cells, job, width, height):
    """Makes the range one page of its own size."""
    document.lockControllers()
    # Pages are counted over all sheets that print something, so no other one may; hiding them would empty the charts
    # that show their cells.
    for other in document.Sheets:
        other.setPrintAreas(())
    sheet.setPrintAreas((cells.RangeAddress,))
    sheet.setPrintTitleRows(False)
    sheet.setPrintTitleColumns(False)
    sheet.IsVisible = True
    # A page style may belong to more sheets; none of these is drawn.
    page = document.StyleFamilies.getByName("PageStyles").getByName(sheet.PageStyle)
    for name in ("HeaderIsOn", "FooterIsOn", "CenterHorizontally", "CenterVertically", "PrintAnnotations"):
        setattr(page, name, False)
    for name in ("LeftMargin", "RightMargin", "TopMargin", "BottomMargin"):
        setattr(page, name, 0)
    for name in ("PrintCharts", "PrintObjects", "PrintDrawing"):
        setattr(page, name, True)
    page.PrintHeaders = job["headings"]
    page.PrintGrid = job["gridlines"]
    page.IsLandscape = width > height
    page.Width, page.Height = width, height
    page.PageScale = 100
    page.ScaleToPages = 1
    document.unlockControllers()
