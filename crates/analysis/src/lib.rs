//! Regions, profiles, search, formula maps and traces over the model.

pub mod cell_json;
pub mod diff;
pub mod export;
pub mod formulas;
pub mod frame;
pub mod near_miss;
pub mod profile;
pub mod regions;
pub mod resolve;
pub mod search;
pub mod styles;
