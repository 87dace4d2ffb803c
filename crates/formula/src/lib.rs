//! Lossless formula lexing, reference shifting and rewriting, R1C1.
