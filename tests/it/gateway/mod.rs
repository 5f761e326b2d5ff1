//! The S3 gateway, through the protocol: what it takes, what it refuses, and what it answers.

mod access;
mod attributes;
mod buckets;
mod chunks;
mod copies;
mod deletes;
mod digests;
mod errors;
mod limits;
mod listings;
mod names;
mod objects;
mod presigned;
mod reads;
mod signatures;
mod tags;
mod unsupported;
