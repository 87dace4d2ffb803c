//! Renders a value through an ECMA-376 number format code.
