//! The past of source repos: what the server says of it is what git says of the same repository.

mod archives;
mod branches;
mod diffs;
mod grep;
mod joins;
mod log;
mod model;
mod patch_properties;
mod patches;
pub mod stage;
mod trees;
