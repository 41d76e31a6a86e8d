//! All that is set up: read from the store, changed in whole steps, and told to whoever works by it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use nuncio_client::{Error, Secret};
use nuncio_relay::store::{Change, Document, DocumentKind, Documents};
use nuncio_relay::{Directory, Origin, Store, StoreError};
use nuncio_service::Env;
use serde_json::Value;
use tokio::sync::{Mutex, watch};

use crate::problem::Problem;
use crate::secrets;
use crate::token::Tokens;

/// All that is set up.
pub(crate) struct Registry {
    store: Arc<dyn Store>,
    env: Env,
    bootstrap_token: Option<Secret>,
    directory: watch::Sender<Arc<Directory>>,
    current: RwLock<Arc<Current>>,
    /// Changes go one after the other.
    changing: Mutex<()>,
}

/// What holds now.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) documents: Documents,
    pub(crate) tokens: Tokens,
}

impl Current {
    pub(crate) fn get(&self, kind: DocumentKind, name: &str) -> Option<&Document> {
        self.of(kind).find(|document| document.name == name)
    }

    pub(crate) fn of(&self, kind: DocumentKind) -> impl Iterator<Item = &Document> {
        self.documents.all.iter().filter(move |document| document.kind == kind)
    }
}

/// Why a change was not made.
#[derive(Debug)]
pub(crate) enum NotChanged {
    /// It is not to be made.
    Refused(Problem),
    /// What would hold then cannot be.
    Invalid(Error),
    /// The store failed.
    Store(StoreError),
}

impl From<NotChanged> for Problem {
    fn from(error: NotChanged) -> Self {
        match error {
            NotChanged::Refused(problem) => problem,
            NotChanged::Invalid(error) => error.into(),
            NotChanged::Store(error) => error.into(),
        }
    }
}

impl From<Problem> for NotChanged {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<NotChanged> for Error {
    fn from(error: NotChanged) -> Self {
        match error {
            NotChanged::Refused(problem) => Error::configuration(problem.detail()),
            NotChanged::Invalid(error) => error,
            NotChanged::Store(error) => Error::configuration("the settings cannot be stored").because(error),
        }
    }
}

impl Registry {
    /// What `store` holds, and instead of what an earlier config file said what `file` says, if there is one.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        env: Env,
        bootstrap_token: Option<Secret>,
        file: Option<Vec<Document>>,
    ) -> Result<Arc<Self>, Error> {
        let unread = |error| Error::configuration("the settings cannot be read").because(error);
        let documents = store.documents().await.map_err(unread)?;
        let current = Current { documents, tokens: Tokens::default() };
        let registry = Arc::new(Self {
            store,
            env,
            bootstrap_token,
            directory: watch::Sender::new(Arc::default()),
            current: RwLock::new(Arc::new(current)),
            changing: Mutex::default(),
        });
        match file {
            Some(documents) => registry.apply_file(documents).await?,
            None => registry.whole(|_| Ok((Vec::new(), ()))).await?,
        }
        Ok(registry)
    }

    /// What holds now.
    pub(crate) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is set up now and whenever it changes, ready to be used.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Directory>> {
        self.directory.subscribe()
    }

    /// Makes `documents` all that a config file says.
    pub(crate) async fn apply_file(self: &Arc<Self>, documents: Vec<Document>) -> Result<(), NotChanged> {
        self.whole(move |before| Ok((replace_file(before, documents).map_err(NotChanged::Invalid)?, ())))
            .await
    }

    /// Makes the changes that `plan` makes of what is set up, all or none. They are on disk and hold when this returns. Dropping the future does not
    /// stop them half way.
    pub(crate) async fn whole<T: Send + 'static>(
        self: &Arc<Self>,
        plan: impl FnOnce(&Documents) -> Result<(Vec<Change>, T), NotChanged> + Send + 'static,
    ) -> Result<T, NotChanged> {
        let registry = Arc::clone(self);
        // A task of its own: a client that goes away must not leave us between what is stored and what holds.
        let changed = tokio::spawn(async move {
            let _alone = registry.changing.lock().await;
            // As they are stored, and not as they are known: jobs and other processes write there too.
            let before = registry.store.documents().await.map_err(NotChanged::Store)?;
            let (changes, told) = plan(&before)?;
            registry.commit(&before, changes).await?;
            Ok(told)
        });
        match changed.await {
            Ok(changed) => changed,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    async fn commit(&self, before: &Documents, changes: Vec<Change>) -> Result<(), NotChanged> {
        let mut documents = after(before, &changes);
        documents.all.iter().for_each(secrets::register);
        // Before anything is stored: what cannot be used must not be.
        let mut directory = Directory::new(&documents, &self.env).map_err(NotChanged::Invalid)?;
        let tokens = Tokens::new(&documents, self.bootstrap_token.as_ref()).map_err(NotChanged::Invalid)?;
        if !changes.is_empty() {
            // Whatever the revision: jobs count it up too, and all else that is set up goes through here, one after the other.
            let revision = self.store.change(changes, None).await.map_err(NotChanged::Store)?;
            (documents.revision, directory.revision) = (revision, revision);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Current { documents, tokens });
        self.directory.send_replace(Arc::new(directory));
        Ok(())
    }
}

fn after(before: &Documents, changes: &[Change]) -> Documents {
    let key = |document: &Document| (document.kind, document.name.clone());
    let mut all: BTreeMap<_, _> =
        before.all.iter().map(|document| (key(document), document.clone())).collect();
    for change in changes {
        match change {
            Change::Put(document) => drop(all.insert(key(document), document.clone())),
            Change::Remove(kind, name) => drop(all.remove(&(*kind, name.clone()))),
        }
    }
    Documents { revision: before.revision, all: all.into_values().collect() }
}

/// What must change so that `documents` are all that come from a file. Nothing that stays the same is written.
fn replace_file(before: &Documents, documents: Vec<Document>) -> Result<Vec<Change>, Error> {
    let find = |all: &[Document], document: &Document| {
        all.iter().find(|other| other.kind == document.kind && other.name == document.name).cloned()
    };
    let gone = before.all.iter().filter(|old| old.from_file && find(&documents, old).is_none());
    let mut changes: Vec<_> = gone.map(|old| Change::Remove(old.kind, old.name.clone())).collect();
    for document in documents {
        match find(&before.all, &document) {
            Some(old) if !old.from_file => {
                let (kind, name) = (old.kind, old.name);
                return Err(Error::configuration(format!("{kind} {name} was set up by the API already"))
                    .advise("give it another name in the config file, or delete it by the API first"));
            }
            Some(old) if old == document => {}
            _ => changes.push(Change::Put(document)),
        }
    }
    Ok(changes)
}

/// The longest name, in bytes.
pub(crate) const MAX_NAME: usize = 128;

/// What [`is_name`] says, for schemas.
pub(crate) const NAME_PATTERN: &str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$";

/// Whether it can stand in a URL, a metric and a file.
pub(crate) fn is_name(name: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_fit) && !name.starts_with('.')
}

/// Refuses an endpoint of what nobody set up: it would be owed nothing, and nobody would know why.
pub(crate) fn check_origin(all: &[Document], endpoint: &Document) -> Result<(), Error> {
    let from = endpoint.value.get("from").and_then(Value::as_str);
    let from = from.filter(|_| endpoint.kind == DocumentKind::Endpoint).and_then(|from| from.parse().ok());
    let (kind, name) = match from {
        Some(Origin::Source(name)) => (DocumentKind::Source, name),
        Some(Origin::Application(name)) => (DocumentKind::Application, name),
        Some(Origin::Schedule(name)) => (DocumentKind::Schedule, name),
        Some(Origin::Relay) | None => return Ok(()),
    };
    if all.iter().any(|document| document.kind == kind && document.name == name) {
        return Ok(());
    }
    Err(Error::configuration(format!("there is no {kind} {name:?}, which `from` names")))
}

#[cfg(test)]
mod tests {
    use nuncio_relay::store::MemoryStore;
    use serde_json::json;

    use super::*;

    fn application(name: &str, from_file: bool) -> Document {
        let kind = DocumentKind::Application;
        Document { kind, name: name.to_owned(), from_file, value: json!({}) }
    }

    fn names(registry: &Registry) -> Vec<String> {
        registry.current().documents.all.iter().map(|document| document.name.clone()).collect()
    }

    async fn open() -> Arc<Registry> {
        let store = Arc::new(MemoryStore::default());
        let file = vec![application("acme", true), application("umbra", true)];
        Registry::open(store, Env::default(), None, Some(file)).await.unwrap()
    }

    #[tokio::test]
    async fn what_vanishes_from_the_file_is_gone_and_what_the_api_set_up_stays() {
        let registry = open().await;
        registry.whole(|_| Ok((vec![Change::Put(application("own", false))], ()))).await.unwrap();
        registry.apply_file(vec![application("umbra", true)]).await.unwrap();
        assert_eq!(names(&registry), ["own", "umbra"]);
    }

    #[tokio::test]
    async fn a_file_that_changes_nothing_writes_nothing() {
        let registry = open().await;
        registry.apply_file(vec![application("acme", true), application("umbra", true)]).await.unwrap();
        assert_eq!(registry.store.documents().await.unwrap().revision, 1);
    }

    #[tokio::test]
    async fn nothing_of_a_file_with_a_mistake_holds() {
        let registry = open().await;
        let broken = Document {
            kind: DocumentKind::Source,
            value: json!({ "scheme": "nobody", "secrets": {} }),
            ..application("broken", true)
        };
        let refused = registry.apply_file(vec![application("new", true), broken]).await;
        assert!(matches!(refused, Err(NotChanged::Invalid(_))), "{refused:?}");
        assert_eq!(names(&registry), ["acme", "umbra"]);
        assert_eq!(registry.store.documents().await.unwrap().revision, 1);
    }

    #[tokio::test]
    async fn a_file_does_not_take_over_what_the_api_set_up() {
        let registry = open().await;
        registry.whole(|_| Ok((vec![Change::Put(application("own", false))], ()))).await.unwrap();
        let refused = registry.apply_file(vec![application("own", true)]).await;
        assert!(matches!(refused, Err(NotChanged::Invalid(_))), "{refused:?}");
        assert_eq!(names(&registry), ["acme", "own", "umbra"]);
    }
}
