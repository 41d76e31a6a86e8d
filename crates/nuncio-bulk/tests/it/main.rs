//! Runs over scripted services and real files.

mod pull;
