//! The black-box tests: through the doors, with the generated client, against a real server.

mod architecture;
mod contract;
mod schema_twins;
mod source_repos;
mod support;
