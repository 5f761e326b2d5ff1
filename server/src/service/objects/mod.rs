//! Objects of storage repos: the rules of the gateway and of the work that keeps copies alike. A body
//! that is not what it was said to be never becomes an object anywhere, a write that was acknowledged
//! is never lost, and a copy of which nobody knows that it is right is never served.

mod account;
mod condition;
mod error;
mod fan;
mod intake;
mod layout;
mod locks;
mod recovering;
mod session;
mod survey;
mod to_end;

pub mod changing;
pub mod deleting;
pub mod healing;
pub mod jobs;
pub mod listing;
pub mod managed;
pub mod reading;
mod repairing;
pub mod restoring;
mod roll;
pub mod spaces;
pub mod uploads;
pub mod writing;

/// Doors say it; only drivers read it.
pub use crate::backend::buckets::ByteRange;
pub use account::Account;
pub use condition::{Conditions, Matching};
pub use error::{ObjectError, Result};
pub use intake::{Given, Intake, Promised};
pub use layout::{Layout, Member, Plane, Space, Tuning};
pub use recovering::Unsettled;
pub use roll::roll_all;
pub use session::Session;
