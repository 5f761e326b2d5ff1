//! The black-box tests: through the doors, with the generated client, against a real server.

mod contract;
mod databases;
mod source_repos;
mod support;
mod ui;
