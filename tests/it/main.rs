//! The black-box tests: through the doors, with the generated client, against a real server.

mod contract;
mod durability;
mod edits;
mod edits_model;
mod sdks;
mod source_repos;
mod support;
