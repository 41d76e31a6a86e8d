//! The relay's tests.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod deliver;
mod dispatching;
mod inbox;
mod outbox;
mod routes;
mod schedules;
mod simulation;
mod stores;
mod upkeep;
mod world;
