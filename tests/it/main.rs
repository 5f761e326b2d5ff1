//! The black-box tests: through the doors, with the generated client, against a real server.

mod architecture;
mod bucket_drivers;
mod contract;
mod databases;
mod durability;
mod edits;
mod edits_model;
mod events;
mod gateway;
mod isolation;
mod mirror;
mod objects;
mod operate;
mod operations;
mod schema_twins;
mod sdks;
mod stats;
mod storage;
mod storage_model;
mod storage_reach;
mod storage_secrets;
mod support;
mod tokens;
mod ui;
mod wire;
mod workspaces;
