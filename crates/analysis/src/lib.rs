//! Regions, profiles, search, formula maps and traces over the model.

pub mod formulas;
