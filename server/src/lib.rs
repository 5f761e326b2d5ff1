//! Repoplane: one server for repositories behind an API.
//!
//! ```text
//! doors (api, s3, git, cli, worker)  ->  service  ->  store | backend  ->  model
//! ```
//!
//! - doors turn a protocol into a service call and back: no rules, no SQL, no files;
//! - `service` holds the rules, one file per noun, access check first;
//! - `store` is the only SQL, `backend` the outside world;
//! - `model` is plain types without IO;
//! - `app` alone sees everything and puts it together.

pub mod api;
pub mod app;
pub mod backend;
pub mod cli;
pub mod config;
pub mod git;
pub mod model;
pub mod s3;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod worker;
