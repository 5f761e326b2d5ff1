//! The engine of objects while buckets fail: what was acknowledged stays, what was replaced or deleted
//! never comes back, and once all buckets are well again each holds just what the catalog says.

mod deletes;
mod drain;
mod healing;
mod importing;
mod kill;
mod model;
mod power;
mod races;
mod reads;
mod scrub;
mod stage;
mod telling;
mod two_servers;
mod uploads;
mod writes;
