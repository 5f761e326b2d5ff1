//! The storage control plane: storage repos, buckets, access keys, AI LLMs and AI API keys.

mod at_once;
mod client_forms;
mod deleting;
mod fields;
mod moments;
mod pages;
mod replacing;
mod roles;
mod rules;
mod seeds;
pub mod stage;
mod trail;
