//! Documents.

use rusqlite::{Connection, Result, params};

use crate::StoreError;
use crate::store::{Change, Document, DocumentKind, Documents};

use super::writer::Refusal;

fn read_kind(text: &str) -> Option<DocumentKind> {
    DocumentKind::ALL.into_iter().find(|kind| kind.to_string() == text)
}

pub(super) fn documents(db: &Connection) -> Result<Documents> {
    let mut all = db
        .prepare_cached("SELECT kind, name, from_file, value FROM document")?
        .query_map([], |row| {
            let kind = read_kind(row.get_ref(0)?.as_str()?).ok_or(rusqlite::Error::InvalidQuery)?;
            let value = serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, Box::new(error))
            })?;
            Ok(Document { kind, name: row.get(1)?, from_file: row.get(2)?, value })
        })?
        .collect::<Result<Vec<_>>>()?;
    all.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    Ok(Documents { revision: revision(db)?, all })
}

fn revision(db: &Connection) -> Result<u64> {
    db.prepare_cached("SELECT revision FROM settings")?.query_row([], |row| super::row::read_number(row, 0))
}

pub(super) fn change(
    db: &Connection,
    changes: &[Change],
    expected: Option<u64>,
) -> std::result::Result<u64, Refusal> {
    let found = revision(db)?;
    if expected.is_some_and(|expected| expected != found) {
        return Err(Refusal::Told(StoreError::Changed));
    }
    for change in changes {
        match change {
            Change::Put(document) => put(db, document)?,
            Change::Remove(kind, name) => remove(db, *kind, name)?,
        }
    }
    db.execute("UPDATE settings SET revision = revision + 1", [])?;
    Ok(found + 1)
}

pub(super) fn put(db: &Connection, document: &Document) -> Result<()> {
    if document.kind == DocumentKind::Endpoint {
        db.execute("INSERT INTO endpoint (name) VALUES (?1) ON CONFLICT DO NOTHING", [&document.name])?;
    }
    db.prepare_cached(
        "INSERT INTO document (kind, name, from_file, value) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET from_file = excluded.from_file, value = excluded.value",
    )?
    .execute(params![
        document.kind.to_string(),
        document.name,
        document.from_file,
        document.value.to_string()
    ])?;
    Ok(())
}

fn remove(db: &Connection, kind: DocumentKind, name: &str) -> Result<()> {
    if kind == DocumentKind::Endpoint {
        let deliveries = "SELECT d.id FROM delivery d JOIN endpoint e ON e.id = d.endpoint WHERE e.name = ?1";
        db.execute(&format!("DELETE FROM attempt WHERE delivery IN ({deliveries})"), [name])?;
        db.execute(
            "DELETE FROM delivery WHERE endpoint = (SELECT id FROM endpoint WHERE name = ?1)",
            [name],
        )?;
        db.execute("DELETE FROM endpoint WHERE name = ?1", [name])?;
    }
    if kind == DocumentKind::Schedule {
        db.execute("DELETE FROM schedule WHERE name = ?1", [name])?;
    }
    db.execute("DELETE FROM document WHERE kind = ?1 AND name = ?2", [&*kind.to_string(), name])?;
    Ok(())
}
