//! The store, opened again and again, by one process and by what is like several.

#![allow(clippy::unwrap_used, reason = "in helpers of tests, too, a surprise ends the test")]

mod damage;
mod export;
mod keyring;
mod keys;
mod rekey;
mod support;
mod tokens;
