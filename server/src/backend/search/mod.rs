//! Ranked search in the files of a commit, by the words in them (BM25) and in their paths. It
//! must never ask a model or the network, nor keep anything that cannot be made again.
//!
//! What is kept of a file depends on its content alone (a `card`), so that commits and branches
//! share it: after an edit only what changed is read again, a search at any commit is as exact as
//! at the head, and equal files rank equally whatever was indexed before.
//!
//! A re-ranker by embeddings would have its place after [`index::Index::rank`]: it gets the best
//! passages with their scores, and may put them into another order.

mod card;
pub mod index;
pub mod lines;
pub mod shelf;
pub mod words;
