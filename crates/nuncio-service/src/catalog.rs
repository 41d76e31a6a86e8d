//! Where service files are found.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use nuncio_client::Error;

use crate::load::MAX_FILE_BYTES;
use crate::model::Service;
use crate::suggest::suggest;

macro_rules! built_in {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../services/", $name, ".yaml")))),*]
    };
}

/// Name and text of the services that come with nuncio.
pub(crate) const BUILT_IN: &[(&str, &str)] = built_in!["example", "github", "sendgrid", "slack", "stripe"];

/// The services that can be called by name: those that come with nuncio, then those in folders, then single files. Of two with the same
/// name the later wins, so that a user can put a file of their own in place of one that comes with nuncio.
///
/// A service file runs no commands and reads no files. It does say where credentials are sent: hand in only folders that the user chose,
/// such as `~/.config/nuncio/services` and `./services`, and never one found by walking up.
///
/// ```
/// use nuncio_service::Catalog;
///
/// let catalog = Catalog::built_in();
/// assert!(catalog.get("stripe")?.operations.contains_key("customers.create"));
/// let error = catalog.get("stirpe").unwrap_err();
/// assert_eq!(error.to_string(), "there is no service stirpe, did you mean stripe?");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Catalog(BTreeMap<String, Origin>);

/// Where a service is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In nuncio itself.
    BuiltIn,
    /// In a file.
    File(PathBuf),
}

impl Catalog {
    /// A catalog without services.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The services that come with nuncio.
    #[must_use]
    pub fn built_in() -> Self {
        Self(BUILT_IN.iter().map(|(name, _)| ((*name).to_owned(), Origin::BuiltIn)).collect())
    }

    /// Adds the files `NAME.yaml` and `NAME.yml` in `folder`. They are read when they are asked for, so one with a mistake does no harm to
    /// the others. A folder that does not exist has no services.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the folder cannot be read.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, Error> {
        let unreadable = |error| {
            Error::configuration(format!("the folder {} cannot be read", folder.display())).because(error)
        };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(self),
            Err(error) => return Err(unreadable(error)),
        };
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            if let (true, Some(name)) = (is_yaml, path.file_stem().and_then(|stem| stem.to_str())) {
                self.0.insert(name.to_owned(), Origin::File(path));
            }
        }
        Ok(self)
    }

    /// Adds the service that the file at `path` describes, whatever the file's name.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn with_file(mut self, path: &Path) -> Result<Self, Error> {
        let service = Self::read(path)?;
        self.0.insert(service.service, Origin::File(path.to_owned()));
        Ok(self)
    }

    /// Names and origins of all services, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.0.iter().map(|(name, origin)| (name.as_str(), origin))
    }

    /// Reads the service `name`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when there is none, with the nearest name; when its file cannot be read,
    /// has mistakes ([`Problems`](crate::Problems)) or describes a service of another name.
    pub fn get(&self, name: &str) -> Result<Service, Error> {
        let origin = self.origin(name)?;
        let read = match origin {
            Origin::BuiltIn => Service::from_built_in,
            Origin::File(_) => Service::from_yaml,
        };
        let service = read(&self.text(name)?, &origin.to_string())?;
        if service.service != name {
            let message = format!("{origin} describes the service {}, not {name}", service.service);
            return Err(Error::configuration(message)
                .advise("give the file the name of its service, or name the file itself"));
        }
        Ok(service)
    }

    /// The text of the file that describes the service `name`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when there is none or its file cannot be read.
    pub fn text(&self, name: &str) -> Result<String, Error> {
        match self.origin(name)? {
            Origin::File(path) => read_text(path),
            Origin::BuiltIn => {
                let built_in = BUILT_IN.iter().find(|(built_in, _)| *built_in == name);
                Ok(built_in.expect("only these are called built in").1.to_owned())
            }
        }
    }

    /// Reads the service file at `path`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when it cannot be read or has mistakes ([`Problems`](crate::Problems)).
    pub fn read(path: &Path) -> Result<Service, Error> {
        Service::from_yaml(&read_text(path)?, &path.display().to_string())
    }

    fn origin(&self, name: &str) -> Result<&Origin, Error> {
        self.0.get(name).ok_or_else(|| {
            let meant = suggest(name, self.0.keys().map(String::as_str));
            let meant = meant.map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            Error::configuration(format!("there is no service {name}{meant}"))
                .advise(format!("those there are: {}", known.join(", ")))
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

fn read_text(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    // One byte over the bound, for the loader to see that the file is larger.
    let bound = MAX_FILE_BYTES as u64 + 1;
    std::fs::File::open(path)
        .and_then(|file| file.take(bound).read_to_string(&mut text))
        .map_err(|error| Error::configuration(format!("{} cannot be read", path.display())).because(error))?;
    Ok(text)
}
