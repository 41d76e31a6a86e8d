//! What a person sees, in a real terminal of tmux.

use std::process::Command;

use super::listening::{Target, home, until};
use crate::support::Home;

/// A terminal, ended with the test.
struct Terminal {
    socket: String,
}

impl Terminal {
    /// Runs the listener in a terminal of this width. `None` where there is no tmux.
    fn start(home: &Home, width: u16, args: &str) -> Option<Self> {
        let has_tmux = Command::new("tmux").arg("-V").output().is_ok_and(|ran| ran.status.success());
        if !has_tmux {
            eprintln!("skipped: tmux is not installed");
            return None;
        }
        let socket = home.path("tmux").display().to_string();
        let command = format!(
            "{} webhook listen --store kept.db --retry-every 200ms {args}; sleep 60",
            env!("CARGO_BIN_EXE_nuncio")
        );
        let terminal = Self { socket };
        let size = [width.to_string(), "24".to_owned()];
        let nuncio = home.command(&[]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let started = terminal
            .tmux()
            .args(["-f", "/dev/null", "new-session", "-d", "-x", &size[0], "-y", &size[1], &command])
            .env_clear()
            .envs(nuncio.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .envs([("PATH", path), ("TERM", "xterm-256color".into()), ("LC_ALL", "C.UTF-8".into())])
            .current_dir(home.dir.path())
            .status();
        assert!(started.unwrap().success());
        Some(terminal)
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.args(["-u", "-S", &self.socket]);
        tmux
    }

    /// What it shows now.
    fn screen(&self) -> String {
        let shown = self.tmux().args(["capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&shown.stdout).trim_end().to_owned()
    }

    async fn shows(&self, what: &str) -> String {
        until(what, || Some(self.screen()).filter(|screen| screen.contains(what))).await
    }

    fn interrupt(&self) {
        assert!(self.tmux().args(["send-keys", "C-c"]).status().unwrap().success());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").output();
    }
}

/// Where the listener is, as it says in its first lines, which a narrow terminal breaks.
fn url(screen: &str) -> String {
    let joined: String = screen.lines().collect();
    let (_, rest) = joined.split_once("listening at ").unwrap();
    rest.split([' ', ',']).next().unwrap().to_owned()
}

#[tokio::test]
async fn a_terminal_shows_what_happens_at_any_width() {
    for width in [100, 60, 40] {
        let (home, target) = (home(), Target::down());
        let args =
            format!("--listen 0 --provider stripe --secret-env WEBHOOK_SECRET --forward-to {}", target.url());
        let Some(terminal) = Terminal::start(&home, width, &args) else { return };
        let url = url(&terminal.shows("kept.db").await);
        let send = |event: &str, secret: &str| {
            home.run(&["webhook", "trigger", "stripe", event, "--to", &url, "--secret-env", secret]).code
        };
        assert_eq!(send("charge.failed", "WEBHOOK_SECRET"), 0);
        terminal.shows("kept: no connection").await;
        assert_eq!(send("invoice.paid", "WEBHOOK_SECRET"), 0);
        let screen = terminal.shows("2 events wait").await;
        let row = screen.lines().find(|line| line.contains("charge.failed")).unwrap();
        assert!(row.contains("genuine"), "{screen}");
        assert_eq!(
            screen.matches("2 events wait").count(),
            1,
            "the last line is drawn in its place: {screen}"
        );
        assert_eq!(send("customer.created", "OTHER_SECRET"), 8);
        terminal.shows("401 to the sender").await;
        target.rise().await;
        until("both results", || (terminal.screen().matches("200 in").count() == 2).then_some(())).await;
        until("an end of waiting", || (!terminal.screen().contains("events wait")).then_some(())).await;
        terminal.interrupt();
        let screen = terminal.shows("2 events, 1 refused").await;
        let is_event = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit()) || line.contains('└');
        let lines: Vec<_> = screen.lines().filter(is_event).collect();
        assert!(
            lines.len() >= 6 && lines.iter().all(|line| line.chars().count() <= width.into()),
            "{screen}"
        );
    }
}
