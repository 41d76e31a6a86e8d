//! Columns that fit, and colour where it is wanted.

use std::time::Duration;

use jiff::Timestamp;

/// How wide the lines in a pipe are.
const WIDTH_OF_A_PIPE: usize = 100;

/// What is behind the type: verdict, size, time and id.
const BEHIND_TYPE: usize = 2 + 11 + 2 + 8 + 2 + 7 + 2 + 6;

/// A time of day.
const TIME: usize = 8;

/// Below the type.
pub(super) const INDENT: usize = TIME + 2;

/// Something that is shown in a colour, where colours are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Waiting,
    Quiet,
}

/// How lines are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    width: usize,
    has_colours: bool,
}

/// What is told of an event in its line.
pub(super) struct Row<'a> {
    pub(super) at: Timestamp,
    pub(super) event_type: &'a str,
    pub(super) verdict: (&'a str, Tone),
    pub(super) size: usize,
    pub(super) took: Duration,
    pub(super) id: Option<&'a str>,
}

impl Layout {
    /// For a terminal of this width, or for a pipe.
    pub(super) fn new(terminal_width: Option<usize>, has_colours: bool) -> Self {
        Self { width: terminal_width.unwrap_or(WIDTH_OF_A_PIPE).max(20), has_colours }
    }

    /// The line of an event. What does not fit is left out from the end, and a long type cut.
    pub(super) fn row(&self, row: &Row<'_>) -> String {
        let columns = [
            (format!("{:<11}", row.verdict.0), row.verdict.1),
            (format!("{:>8}", size(row.size)), Tone::Quiet),
            (format!("{:>7}", took(row.took)), Tone::Quiet),
            (row.id.unwrap_or_default().to_owned(), Tone::Quiet),
        ];
        let of_type = self.width.saturating_sub(INDENT + BEHIND_TYPE).clamp(16, 36);
        let mut line = format!("{}  {:<of_type$}", clock(row.at), cut(row.event_type, of_type));
        let mut length = INDENT + of_type;
        for (text, tone) in columns {
            length += 2 + text.chars().count();
            if length > self.width {
                break;
            }
            line = format!("{line}  {}", self.paint(&text, tone));
        }
        line.trim_end().to_owned()
    }

    /// What is told below an event, broken where a line is full.
    pub(super) fn below(&self, text: &str, is_first: bool, tone: Tone) -> String {
        let room = self.width.saturating_sub(INDENT + 2).max(10);
        let lines = wrapped(text, room);
        let lines = lines.iter().enumerate().map(|(number, line)| {
            let mark = if number == 0 && is_first { "└ " } else { "  " };
            format!("{}{mark}{}", " ".repeat(INDENT), self.paint(line, tone))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Cut so that it stays on one line.
    pub(super) fn one_line(&self, text: &str) -> String {
        cut(text, self.width - 1)
    }

    fn paint(&self, text: &str, tone: Tone) -> String {
        let style = console::Style::new().force_styling(self.has_colours);
        let style = match tone {
            Tone::Good => style.green(),
            Tone::Bad => style.red(),
            Tone::Waiting => style.yellow(),
            Tone::Quiet => style.dim(),
        };
        style.apply_to(text).to_string()
    }
}

/// The time of day in UTC.
fn clock(at: Timestamp) -> String {
    let seconds = at.as_second().rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// In the unit that leaves three digits.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// In the unit that leaves three digits.
pub(super) fn took(time: Duration) -> String {
    match time.as_millis() {
        0 => "<1 ms".to_owned(),
        millis @ 1..1_000 => format!("{millis} ms"),
        millis @ 1_000..100_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        millis => format!("{} min", millis / 60_000),
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Lines of at most `width` characters, broken between words; a word that is longer is broken.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut room = width;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut word: Vec<char> = word.chars().collect();
        let is_first = room == width;
        if !is_first && word.len() < room {
            lines.last_mut().expect("one at least").push(' ');
            room -= 1;
        } else if !is_first {
            lines.push(String::new());
            room = width;
        }
        while word.len() > room {
            let rest = word.split_off(room);
            lines.last_mut().expect("one at least").extend(word);
            lines.push(String::new());
            (word, room) = (rest, width);
        }
        room -= word.len();
        lines.last_mut().expect("one at least").extend(word);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(width: Option<usize>, event_type: &str) -> String {
        let at = Timestamp::from_second(1_760_000_000).unwrap();
        let took = Duration::from_millis(3);
        let row =
            Row { at, event_type, verdict: ("genuine", Tone::Good), size: 1234, took, id: Some("7Z9K2M") };
        Layout::new(width, false).row(&row)
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_is_wide() {
        for width in 30..140 {
            let line = row(Some(width), "a.very.long.type.of.an.event.that.somebody.made.up");
            assert!(line.chars().count() <= width.max(30), "{width}: {line}");
            let below = Layout::new(Some(width), false).below(
                "the target answered with averyverylongwordthatfitsnoscreenwhatsoever",
                true,
                Tone::Bad,
            );
            assert!(below.lines().all(|line| line.chars().count() <= width), "{width}: {below}");
        }
    }

    #[test]
    fn what_fits_is_shown() {
        assert_eq!(
            row(Some(80), "charge.failed"),
            "08:53:20  charge.failed                   genuine        1.2 kB     3 ms  7Z9K2M"
        );
        assert_eq!(row(Some(40), "charge.failed"), "08:53:20  charge.failed     genuine");
    }

    #[test]
    fn colours_are_there_where_they_are_wanted_alone() {
        assert!(Layout::new(Some(80), true).below("taken", true, Tone::Good).contains("\u{1b}[32m"));
        assert!(!Layout::new(Some(80), false).below("taken", true, Tone::Good).contains('\u{1b}'));
    }

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
    }
}
