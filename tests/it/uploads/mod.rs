//! Objects that come in parts, as the engine under the gateway takes them.

mod checksums;
mod clouds;
mod completing;
mod ending;
mod failing;
mod listing;
mod parts;
pub mod stage;
