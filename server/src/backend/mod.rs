//! The outside world: sealed secrets, buckets, object stores, git objects, what they are found by,
//! and what may be dialled.
//! Nothing in here decides who may do what.

pub mod buckets;
pub mod egress;
pub mod git;
pub mod objects;
pub mod search;
pub mod vault;
pub mod webhooks;
