"""Opens workbooks with openpyxl. Reads paths, one a line, and answers each with a line: empty, or what is wrong."""

import sys
import warnings

import openpyxl

# What openpyxl does not keep it warns of; that is no complaint about the file.
warnings.simplefilter("ignore")

for line in sys.stdin:
    try:
        openpyxl.load_workbook(line.rstrip("\n")).close()
        print(flush=True)
    except Exception as error:
        print(("%s: %s" % (type(error).__name__, error)).replace("\n", " "), flush=True)
