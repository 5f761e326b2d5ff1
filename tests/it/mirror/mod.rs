//! How alike copies are, what mends them, and the jobs that do it, through the control API.

mod jobs;
mod older;
mod repair;
mod restore;
mod scrub;
mod settings;
mod stage;
mod status;
