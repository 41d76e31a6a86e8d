//! Lines for people: on a terminal, whose last line says what waits, or in a pipe.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nuncio_client::Redactor;

use super::layout::{Layout, Row, Tone};
use crate::exit::Stop;
use crate::output::Output;
use crate::stderr;

/// Where lines for people go.
pub(super) struct People {
    layout: Layout,
    bar: ProgressBar,
    /// Whether standard output has the events, and standard error the lines.
    is_on_stderr: bool,
}

impl People {
    /// On standard output, or beside `--print` on standard error where that is a terminal.
    pub(super) fn new(prints: bool) -> Option<Self> {
        let term = if prints { console::Term::stderr() } else { console::Term::stdout() };
        if prints && !term.is_term() {
            return None;
        }
        let width = term.size_checked().map(|(_, columns)| usize::from(columns)).filter(|_| term.is_term());
        let may_colour = if prints { console::colors_enabled_stderr() } else { console::colors_enabled() };
        let draws = term.is_term() && std::io::stderr().is_terminal();
        let target = if draws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{msg}").expect("a fixed template"));
        Some(Self { layout: Layout::new(width, term.is_term() && may_colour), bar, is_on_stderr: prints })
    }

    /// An event.
    pub(super) fn row(&self, output: &mut Output, row: &Row<'_>) -> Result<(), Stop> {
        self.line(output, &self.layout.row(row))
    }

    /// What is told below an event.
    pub(super) fn below<T: AsRef<str>>(
        &self,
        output: &mut Output,
        texts: &[T],
        tone: Tone,
    ) -> Result<(), Stop> {
        for (number, text) in texts.iter().enumerate() {
            let text = Redactor::global().redact(text.as_ref());
            self.line(output, &self.layout.below(&text, number == 0, tone))?;
        }
        Ok(())
    }

    /// The last line of a terminal. Nothing in a pipe.
    pub(super) fn status(&self, text: &str) {
        self.bar.set_message(self.layout.one_line(text));
    }

    /// Takes the last line away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, output: &mut Output, text: &str) -> Result<(), Stop> {
        let text = Redactor::global().redact(text);
        self.bar.suspend(|| {
            if self.is_on_stderr {
                stderr::line(&text);
                return Ok(());
            }
            output.line(&text).and_then(|()| output.flush())
        })
    }
}
