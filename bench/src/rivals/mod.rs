//! The jobs done without nuncio, in Rust: the floor, and what one would write with reqwest.

pub mod each;
pub mod pull;
