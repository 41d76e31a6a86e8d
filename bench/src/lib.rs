//! What the programs share: a server to talk to, a way to measure, a table.
//!
//! Every way to do a job is measured in the same run, in turns with the others, so that a slow moment of the machine falls on all alike. A
//! figure is a median, and what counts is its ratio to the first row: the least that does the same job. A way that did not do the whole job
//! has no figure; the program stops.

pub mod children;
pub mod connection;
pub mod disk;
pub mod fill;
pub mod peers;
pub mod records;
pub mod relay;
pub mod rivals;
pub mod server;
pub mod table;
pub mod way;
