//! Plain types shared by all layers. Never any IO: std and serde only.

pub mod access;
pub mod access_key;
pub mod ai;
pub mod audit;
pub mod bucket;
pub mod edit;
pub mod file_path;
pub mod history;
pub mod id;
pub mod job;
pub mod mirror;
pub mod object;
pub mod org;
pub mod page;
pub mod patch;
pub mod push;
pub mod source_ref;
pub mod source_repo;
pub mod stats;
pub mod storage_job;
pub mod storage_repo;
pub mod time;
pub mod token;
pub mod upload;
pub mod usage;
pub mod webhook;
