//! Tests of the crate as others see it.

mod catalog;
mod catalog_sandbox;
mod search_path;
