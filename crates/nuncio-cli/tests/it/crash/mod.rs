//! Runs that are killed, stopped, out of room, in each other's way: what is left can be gone on with.
//!
//! A run is killed when [`Shop`](shop::Shop), the server of these tests, has seen so much of it, never after some time.

mod damage;
mod disk_full;
mod each;
mod life;
mod pipes;
mod pull;
mod rekey;
mod shop;
mod signals;
mod syscalls;
mod two_runs;
mod unwritable;
