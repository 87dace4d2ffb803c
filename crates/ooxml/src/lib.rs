//! Open Packaging Conventions: parts, relationships, content types, under a budget.
