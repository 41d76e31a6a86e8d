//! The user's browser.

use std::process::{Command, Stdio};

/// Opens `url` with what the system has for that. Whether there is such a thing; what becomes of the page is not known.
pub(crate) fn open(url: &str) -> bool {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(url);
    // Not waited for: some browsers stay in the foreground.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
}
