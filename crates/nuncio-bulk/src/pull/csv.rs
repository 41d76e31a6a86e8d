//! Records as rows.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use nuncio_client::pages::Record;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Error;

/// How many records of the first page make the columns: the rest of a page of any size need not be kept in memory for it.
const HEADER_RECORDS: usize = 1000;

pub(super) struct Csv {
    columns: Columns,
    /// Whether fields without a column are left out; they are an error otherwise.
    partial: bool,
    /// Rows written.
    rows: u64,
}

enum Columns {
    /// The records that will make them.
    Awaited(Vec<Record>),
    Given(Vec<String>),
    /// They stand in the file.
    Written(Vec<String>),
}

impl Csv {
    /// A file with `rows` rows and perhaps a header already. Without `given` columns they are those of the first records.
    pub(super) fn new(given: Option<Vec<String>>, header: Option<Vec<String>>, rows: u64) -> Self {
        let partial = given.is_some();
        let columns = match (header, given) {
            (Some(header), _) => Columns::Written(header),
            (None, Some(given)) => Columns::Given(given),
            (None, None) => Columns::Awaited(Vec::new()),
        };
        Self { columns, partial, rows }
    }

    pub(super) fn write(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.columns {
            Columns::Awaited(records) => {
                records.push(record.clone());
                if records.len() < HEADER_RECORDS { Ok(()) } else { self.end_page(out) }
            }
            Columns::Given(_) => {
                self.write_header(out);
                self.row(record, out)
            }
            Columns::Written(_) => self.row(record, out),
        }
    }

    /// Writes the records that wait for the columns.
    pub(super) fn end_page(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let records = match &mut self.columns {
            Columns::Awaited(records) if !records.is_empty() => std::mem::take(records),
            _ => return Ok(()),
        };
        let mut columns: Vec<String> = Vec::new();
        for (number, record) in (1..).zip(&records) {
            for (name, _) in fields(record, number)? {
                if !columns.contains(&name) {
                    columns.push(name);
                }
            }
        }
        self.columns = Columns::Given(columns);
        self.write_header(out);
        records.iter().try_for_each(|record| self.row(record, out))
    }

    /// The columns, once they stand in the file.
    pub(super) fn header(&self) -> Option<&[String]> {
        match &self.columns {
            Columns::Written(columns) => Some(columns),
            Columns::Awaited(_) | Columns::Given(_) => None,
        }
    }

    fn write_header(&mut self, out: &mut Vec<u8>) {
        if let Columns::Given(columns) = &mut self.columns {
            put(columns.iter().map(String::as_bytes), out);
            self.columns = Columns::Written(std::mem::take(columns));
        }
    }

    fn row(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(columns) = self.header() else { return Ok(()) };
        let number = self.rows + 1;
        let mut fields: HashMap<String, &RawValue> = fields(record, number)?.into_iter().collect();
        let row: Vec<_> =
            columns.iter().map(|name| fields.remove(name).map_or(Cow::Borrowed(""), cell)).collect();
        if let Some(name) = fields.keys().min().filter(|_| !self.partial) {
            let problem = format!(
                "has the field {name:?}, which no column was made for: name the columns, or write JSON lines"
            );
            return Err(Error::Record { number, problem });
        }
        put(row.iter().map(|cell| cell.as_bytes()), out);
        self.rows = number;
        Ok(())
    }
}

fn put<'a>(cells: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    let mut writer = csv::WriterBuilder::new().buffer_capacity(1024).from_writer(out);
    writer
        .write_record(cells)
        .and_then(|()| Ok(writer.flush()?))
        .expect("memory takes what is written to it");
}

/// A string as it is, other values as they are written, null as nothing.
fn cell(value: &RawValue) -> Cow<'_, str> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(json).map_or(Cow::Borrowed(json), Cow::Owned),
        Some(b'n') => Cow::Borrowed(""),
        _ => Cow::Borrowed(json),
    }
}

fn fields(record: &Record, number: u64) -> Result<Vec<(String, &RawValue)>, Error> {
    let fields: Fields<'_> = serde_json::from_str(record.as_str()).map_err(|_| {
        let problem = "is not an object, so it has no columns: write JSON lines".to_owned();
        Error::Record { number, problem }
    })?;
    Ok(fields.0)
}

/// The fields of an object in their order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}
