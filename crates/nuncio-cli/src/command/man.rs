//! `nuncio man`.

use clap::{Args as ClapArgs, CommandFactory as _};
use nuncio_client::Error;

use crate::args::Args;
use crate::exit::Stop;
use crate::output::Output;

/// Write the manual page to standard output
#[derive(Debug, ClapArgs)]
pub(crate) struct ManCommand {
    /// The page of this subcommand instead of the overview
    subcommand: Option<String>,
}

impl ManCommand {
    pub(crate) fn run(self) -> Result<(), Stop> {
        let mut command = Args::command();
        command.build();
        if let Some(name) = &self.subcommand {
            let found = command.find_subcommand(name).cloned();
            command = found.ok_or_else(|| Error::configuration(format!("there is no subcommand {name}")))?;
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(Stop::writing)?;
        Output::new(None)?.raw(&page)
    }
}
