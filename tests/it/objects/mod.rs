//! Objects of storage repos, as the engine under the gateway keeps them.

mod basics;
pub mod stage;
