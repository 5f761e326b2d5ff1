//! The past of source repos: what the server says of it is what git says of the same repository.

mod archives;
mod diffs;
mod grep;
mod log;
mod model;
mod stage;
mod trees;
