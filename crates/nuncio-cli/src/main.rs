//! The binary `nuncio`: flags become settings, settings become calls to the libraries.

mod adhoc;
mod args;
mod browser;
mod command;
mod config;
mod credentials;
mod exit;
mod fate;
mod filter;
mod gateway;
mod interrupt;
mod mapping;
mod output;
mod preview;
mod progress;
mod prompt;
mod secret_ref;
mod session;
mod size;
mod stderr;
mod table;
mod target;
mod trace;
mod values;
mod verdict;
mod wire_log;

use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::{Builder, LocalOptions};

use crate::args::Args;
use crate::exit::Stop;
use crate::session::Session;

// Records and calls are made of many small pieces, which it hands out in half the time: docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    trace::start(args.command.default_log());
    // On this thread alone: what a command does is wait for the network, and waking other threads costs more than they would do.
    let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("nuncio: the runtime cannot be started: {error}");
            return ExitCode::from(exit::LOCAL);
        }
    };
    // As a task: to wake what is not one takes a system call.
    let code = match runtime.block_on(runtime.spawn_local(run(args))) {
        Ok(code) => code,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    };
    // A read of standard input may still be under way, and would be waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn run(args: Args) -> u8 {
    let as_json = args.global.json;
    let stop = match Session::new(args.global) {
        Ok(session) => args.command.run(&session).await,
        Err(error) => Err(error.into()),
    };
    match stop {
        Ok(()) => exit::OK,
        Err(Stop::Failed(error)) => {
            stderr::report(&error, as_json);
            exit::code(&error)
        }
        Err(Stop::Told(code)) => code,
        Err(Stop::PipeClosed) => exit::PIPE_CLOSED,
    }
}
