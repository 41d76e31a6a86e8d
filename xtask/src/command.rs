//! Running other programs: shown before they start, an error when they fail.

use std::ffi::OsStr;
use std::process::{Command, Output};

/// The cargo that runs this program, with these arguments.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Runs the command with its output in view.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// Runs the command and returns what it printed; the error ends with the last line of its complaint.
pub(crate) fn output(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("cannot start {}: {error}", shown(command)))?;
    if output.status.success() {
        return Ok(output);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.trim_end().lines().last().unwrap_or_default();
    Err(format!("{} ended with {}: {last}", shown(command), output.status))
}

fn shown(command: &Command) -> String {
    let set =
        command.get_envs().filter_map(|(name, value)| Some(format!("{}={:?} ", text(name), text(value?))));
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default();
    let arguments = command.get_args().map(|argument| format!(" {}", text(argument)));
    set.chain([text(program)]).chain(arguments).collect()
}

fn text(value: &OsStr) -> String {
    value.to_string_lossy().into_owned()
}
