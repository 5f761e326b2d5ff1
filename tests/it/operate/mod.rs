//! The binary itself, as an operator starts, asks and stops it.

mod commands;
mod configuration;
mod first_start;
mod imports;
mod mirror;
mod objects;
pub mod process;
mod queries;
mod refusals;
mod running;
mod source;
mod stand_in;
mod storage;
mod storage_requests;
