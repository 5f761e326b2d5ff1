//! The differ proven from outside: through its library and through the binary.

mod cli;
mod equal;
mod fixture;
mod hostile;
mod seeds;
