//! The binary, run as a user would, against servers on this machine.

#![allow(clippy::unwrap_used, reason = "in helpers of tests, too, a surprise ends the test")]

mod authority;
mod bad_input;
#[cfg(unix)]
mod calling;
mod calls;
mod connections;
#[cfg(unix)]
mod crash;
mod demo;
#[cfg(unix)]
mod events;
mod exit_codes;
#[cfg(target_os = "linux")]
mod failing_disk;
#[cfg(unix)]
mod fire;
#[cfg(unix)]
mod killed_calls;
#[cfg(unix)]
mod killed_relay;
#[cfg(unix)]
mod listen;
mod login;
mod patterns;
mod runs;
mod schedules;
mod secrets;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod serving;
#[cfg(target_os = "linux")]
mod set_clock;
#[cfg(unix)]
mod settings;
#[cfg(unix)]
mod store;
mod support;
mod webhooks;
