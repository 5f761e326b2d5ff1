//! The contract, the code and the client are one and the same.

mod compat;
mod document;
mod lint;
mod serde;
mod surface;
