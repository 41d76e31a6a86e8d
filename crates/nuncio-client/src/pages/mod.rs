//! To be filled.
pub mod link;
mod scanner;
