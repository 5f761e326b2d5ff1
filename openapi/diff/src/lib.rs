//! Normalise, diff and check the compatibility of two OpenAPI documents. Nothing here reads a file or the network, and no
//! input may make it panic or run without end.
//!
//! Documents are YAML or JSON, OpenAPI 3.0 or 3.1, in any mixture. [`drift`] answers "do these two say the same?",
//! [`compat`] answers "does a client of the old one survive the new one?".
//!
//! ```
//! use openapi_diff::{AllowList, compat, drift, parse};
//!
//! # fn main() -> Result<(), openapi_diff::Error> {
//! let old = parse("{openapi: 3.0.3, info: {title: Clinic, version: '1'}, paths: {/pets: {get: {responses: {200: {description: All}}}}}}")?;
//! let new = parse("{openapi: 3.1.0, info: {title: Clinic, version: '2'}, paths: {}}")?;
//!
//! let lines: Vec<String> = drift(&old, &new)?.iter().map(ToString::to_string).collect();
//! assert_eq!(lines, [r#"/info/version: A says "1", B says "2""#, "/paths/~1pets: only in A"]);
//!
//! let breaks = compat(&old, &new)?;
//! assert_eq!(breaks[0].rule, "operation-removed");
//!
//! let allowed = AllowList::parse("operation-removed /paths/~1pets/get  # nobody calls it")?;
//! assert!(allowed.apply(breaks).is_empty());
//! # Ok(())
//! # }
//! ```

mod allow;
mod canonical;
mod compat;
mod down;
mod drift;
mod error;
mod finding;
mod fold;
mod inline;
mod parse;
mod pointer;
mod slots;

pub use allow::{AllowList, STALE};
pub use canonical::canonical;
pub use compat::compat;
pub use compat::rules::{RULES, Rule};
pub use down::to_30;
pub use drift::drift;
pub use error::{Error, Side};
pub use finding::{Direction, Finding};
pub use parse::parse;
