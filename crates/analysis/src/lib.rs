//! Regions, profiles, search, formula maps and traces over the model.

pub mod formulas;
pub mod frame;
pub mod near_miss;
pub mod regions;
pub mod profile;
pub mod resolve;
pub mod styles;
