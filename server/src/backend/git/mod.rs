//! Git in memory and on disk: objects, trees, packs, and the cache directory. Whoever calls
//! blocks; nothing in here is durable, that is the database's task.

pub mod archive;
pub mod blobs;
pub mod cache;
pub mod commit;
pub mod database;
pub mod diff;
pub mod fetch;
pub mod grep;
pub mod log;
pub mod merge;
pub mod objects;
pub mod pack;
pub mod path;
mod program;
pub mod read;
pub mod receive;
pub mod repack;
pub mod tree;
pub mod upload;
pub mod walk;
mod zlib;
