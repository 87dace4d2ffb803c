//! Regions, profiles, search, formula maps and traces over the model.

pub mod formulas;
pub mod near_miss;
pub mod resolve;
