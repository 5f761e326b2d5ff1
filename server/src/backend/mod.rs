//! The outside world: sealed secrets, buckets, object stores, git objects, and what may be dialled.
//! Nothing in here decides who may do what.

pub mod buckets;
pub mod egress;
pub mod git;
pub mod objects;
pub mod vault;
pub mod webhooks;
