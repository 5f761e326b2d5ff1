//! Git over HTTP, spoken by real git: what it clones, what it pushes, and what it must not be
//! able to do.

mod access;
mod clones;
mod crash;
mod door;
mod hostile;
mod joined;
mod patience;
mod pushes;
pub mod stage;
mod stored;
mod together;
