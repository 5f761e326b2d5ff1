//! What the contract says of editing and reading source repos, sentence by sentence.

mod answers;
mod commits;
mod contents;
mod copies;
mod create;
mod history;
mod limits;
mod lists;
mod metadata;
mod operations;
mod paths;
mod replace;
mod single_files;
