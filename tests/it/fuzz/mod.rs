//! What parsers make of inputs that are almost right: they are taken for what they say or refused with
//! a reason, and what is refused changes nothing. `TEST_LONG=1` goes on for 60 s each, with a new seed;
//! `FUZZ_SEED` makes the inputs of a seed again.

mod edits;
mod events;
mod mutants;
mod pushes;
mod queries;
