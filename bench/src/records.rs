//! The list that `pull` reads: pages of 100 records of about 400 bytes, as a billing API would have them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

/// Records on a page.
pub const PER_PAGE: u64 = 100;

const RECORD: &str = r#"{"id":"rec_########","object":"invoice","status":"paid","currency":"eur","total":1234.50,"customer":{"id":"cus_########","name":"Ada \"the first\" Lovelace","email":"ada@example.com","address":{"line1":"12 Example Street","city":"Zürich","country":"CH"}},"lines":[{"sku":"A-1","quantity":2,"price":500.25},{"sku":"B-7","quantity":1,"price":234.00}],"metadata":{"plan":"gold","note":"paid {on} time"},"created_at":"2026-11-01T12:00:00Z"}"#;

/// Makes pages. All records have the same length, and differ in their number.
pub struct Pages {
    count: u64,
    body: String,
    /// Where the digits of each record stand.
    holes: Vec<usize>,
}

impl Pages {
    /// A list of `count` pages.
    #[must_use]
    pub fn new(count: u64) -> Self {
        let records = vec![RECORD; PER_PAGE as usize].join(",");
        let body = format!(r#"{{"object":"list","data":[{records}]"#);
        let holes = body.match_indices("########").map(|(at, _)| at).collect();
        Self { count, body, holes }
    }

    /// The page `number`, from 1. The place of the next is in it, and how many records there are.
    ///
    /// # Panics
    /// When there is no such page.
    #[must_use]
    pub fn page(&self, number: u64) -> Vec<u8> {
        assert!((1..=self.count).contains(&number), "page {number} of {}", self.count);
        let mut page = Vec::with_capacity(self.body.len() + 64);
        page.extend_from_slice(self.body.as_bytes());
        for (index, holes) in self.holes.chunks(2).enumerate() {
            let digits = format!("{:08}", (number - 1) * PER_PAGE + index as u64);
            for hole in holes {
                page[*hole..*hole + 8].copy_from_slice(digits.as_bytes());
            }
        }
        let mut end = String::new();
        let total = self.count * PER_PAGE;
        if number < self.count {
            write!(end, r#","total":{total},"next":"{}"}}"#, number + 1).expect("room for text");
        } else {
            write!(end, r#","total":{total},"next":null}}"#).expect("room for text");
        }
        page.extend_from_slice(end.as_bytes());
        page
    }
}

/// Sees to it that the file has a line for each record of `pages`, in order. Lines of another kind, such as a head, are passed over.
///
/// # Errors
/// When it has not: the way is wrong and has no figure.
pub fn check(file: &Path, pages: u64) -> Result<(), String> {
    let shown = file.display();
    let reader = BufReader::new(File::open(file).map_err(|error| format!("{shown}: {error}"))?);
    let mut wanted = 0;
    for line in reader.split(b'\n') {
        let line = line.map_err(|error| format!("{shown}: {error}"))?;
        let line = String::from_utf8_lossy(&line);
        let Some(at) = line.find("rec_") else { continue };
        if line.get(at + 4..at + 12).and_then(|digits| digits.parse().ok()) != Some(wanted) {
            return Err(format!("{shown}: record {wanted} is missing; there is {line:.80}"));
        }
        wanted += 1;
    }
    if wanted == pages * PER_PAGE { Ok(()) } else { Err(format!("{shown} has {wanted} records")) }
}
