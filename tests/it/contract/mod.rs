//! The contract, the code and the client are one and the same.

mod document;
