//! What was created, in the order it was made.

use std::collections::{BTreeMap, HashMap};

use nuncio_client::json::scalar_text;
use serde_json::{Map, Value};

/// The objects of one resource.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// Objects made so far, deleted ones too.
    pub(crate) made: u64,
    entries: BTreeMap<u64, Entry>,
    by_id: HashMap<String, Vec<u64>>,
}

/// An object and where it belongs.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its place in the order of making, from 1.
    pub(crate) number: u64,
    /// Inputs of the path that it was made under, as `owner` and `repo` of an issue.
    pub(crate) under: BTreeMap<String, String>,
    pub(crate) object: Value,
}

impl Entry {
    /// Whether a request with `path` may see it.
    fn is_seen_by(&self, path: &BTreeMap<String, String>) -> bool {
        self.under.iter().all(|(name, value)| path.get(name).is_none_or(|given| given == value))
    }

    /// Whether it has the values of `filter`, where it has such keys at all.
    fn fits(&self, filter: &Map<String, Value>) -> bool {
        filter.iter().all(|(key, wanted)| {
            let (Some(wanted), Some(has)) = (scalar_text(wanted), self.object.get(key)) else { return true };
            wanted == "all" || scalar_text(has).as_deref() == Some(&*wanted)
        })
    }
}

impl Store {
    /// Stores an object, in place of the one with the same id in the same place.
    pub(crate) fn add(&mut self, id: String, under: BTreeMap<String, String>, object: Value) {
        self.made += 1;
        let same = self.find_exactly(&id, &under);
        let number = same.unwrap_or(self.made);
        if same.is_none() {
            self.by_id.entry(id).or_default().push(number);
        }
        self.entries.insert(number, Entry { number, under, object });
    }

    fn find_exactly(&self, id: &str, under: &BTreeMap<String, String>) -> Option<u64> {
        let numbers = self.by_id.get(id)?;
        numbers
            .iter()
            .copied()
            .find(|number| self.entries.get(number).is_some_and(|entry| entry.under == *under))
    }

    fn number_of(&self, id: &str, path: &BTreeMap<String, String>) -> Option<u64> {
        let numbers = self.by_id.get(id)?;
        numbers
            .iter()
            .copied()
            .find(|number| self.entries.get(number).is_some_and(|entry| entry.is_seen_by(path)))
    }

    pub(crate) fn get(&self, id: &str, path: &BTreeMap<String, String>) -> Option<&Entry> {
        self.entries.get(&self.number_of(id, path)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str, path: &BTreeMap<String, String>) -> Option<&mut Entry> {
        let number = self.number_of(id, path)?;
        self.entries.get_mut(&number)
    }

    pub(crate) fn remove(&mut self, id: &str, path: &BTreeMap<String, String>) -> Option<Entry> {
        let number = self.number_of(id, path)?;
        if let Some(numbers) = self.by_id.get_mut(id) {
            numbers.retain(|other| *other != number);
        }
        self.entries.remove(&number)
    }

    /// Those that a request with `path` sees and that have the values of `filter`.
    pub(crate) fn list(
        &self,
        path: &BTreeMap<String, String>,
        filter: &Map<String, Value>,
        newest_first: bool,
    ) -> Vec<&Entry> {
        let fitting = self.entries.values().filter(|entry| entry.is_seen_by(path) && entry.fits(filter));
        if newest_first { fitting.rev().collect() } else { fitting.collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn under(repo: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("repo".to_owned(), repo.to_owned())])
    }

    fn filter(filter: Value) -> Map<String, Value> {
        serde_json::from_value(filter).expect("an object")
    }

    #[test]
    fn an_object_is_seen_only_under_the_path_it_was_made_under() {
        let mut store = Store::default();
        store.add("1".to_owned(), under("a"), json!({}));
        store.add("2".to_owned(), BTreeMap::new(), json!({}));
        assert!(store.get("1", &under("a")).is_some() && store.get("2", &under("a")).is_some());
        assert!(store.get("1", &under("b")).is_none() && store.remove("1", &under("b")).is_none());
        assert_eq!(store.list(&BTreeMap::new(), &Map::new(), false).len(), 2);
    }

    #[test]
    fn the_same_id_in_the_same_place_is_the_same_object() {
        let mut store = Store::default();
        for (repo, text) in [("a", "old"), ("b", "other"), ("a", "new")] {
            store.add("README".to_owned(), under(repo), json!({ "text": text }));
        }
        assert_eq!(store.get("README", &under("a")).unwrap().object["text"], "new");
        assert_eq!(store.list(&BTreeMap::new(), &Map::new(), false).len(), 2);
    }

    #[test]
    fn a_list_is_filtered_by_the_keys_that_objects_have() {
        let mut store = Store::default();
        store.add("1".to_owned(), BTreeMap::new(), json!({ "state": "open", "n": 7 }));
        store.add("2".to_owned(), BTreeMap::new(), json!({ "state": "closed", "n": 7 }));
        let numbers = |wanted, newest| -> Vec<u64> {
            store.list(&BTreeMap::new(), &filter(wanted), newest).iter().map(|entry| entry.number).collect()
        };
        assert_eq!(numbers(json!({ "state": "open", "n": "7", "sort": "x" }), false), [1]);
        assert_eq!(numbers(json!({ "state": "all" }), true), [2, 1]);
        assert_eq!(numbers(json!({ "n": 8 }), true), [0; 0]);
    }
}
