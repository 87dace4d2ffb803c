//! Regions, profiles, search, formula maps and traces over the model.

pub mod diff;
pub mod formulas;
pub mod frame;
pub mod near_miss;
pub mod profile;
pub mod regions;
pub mod resolve;
pub mod search;
pub mod styles;
