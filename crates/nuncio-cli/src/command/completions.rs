//! `nuncio completions`.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Args;
use crate::exit::Stop;
use crate::output::Output;

/// Write completions for a shell to standard output
#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsCommand {
    shell: Shell,
}

impl CompletionsCommand {
    pub(crate) fn run(self) -> Result<(), Stop> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Args::command(), "nuncio", &mut script);
        Output::new(None)?.raw(&script)
    }
}
