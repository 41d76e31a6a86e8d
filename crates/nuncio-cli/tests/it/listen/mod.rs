//! `nuncio webhook listen` and `trigger`: what comes is seen, kept and forwarded, whatever happens to the target and to the listener.

mod forwarding;
mod keeping;
mod listening;
mod seeing;
mod sending;
mod terminal;
