//! The workbook model and the readers of every supported format.
