//! Where a listener listens, and where it keeps what came.

use std::fs::{File, TryLockError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use etcetera::BaseStrategy as _;
use nuncio_client::Error;

/// The port unless another is named: beside that of `nuncio serve`.
pub(super) const DEFAULT: &str = "8481";

/// A port, or an address and a port.
#[derive(Debug, Clone)]
pub(super) struct Place(SocketAddr);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(port) = text.parse() {
            return Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        let address = named.as_deref().unwrap_or(text).parse();
        address.map(Self).map_err(|_| {
            format!(
                "{text:?} is neither a port, such as 8481, nor an address and a port, such as 127.0.0.1:8481"
            )
        })
    }
}

impl Place {
    /// An address of this machine.
    pub(super) fn address(&self) -> Result<SocketAddr, Error> {
        if self.0.ip().is_loopback() {
            return Ok(self.0);
        }
        Err(Error::configuration(format!("{} can be reached by others", self.0)).advise(format!(
            "listen on {} or {} and have a tunnel lead there; `nuncio serve` is for others",
            Ipv4Addr::LOCALHOST,
            Ipv6Addr::LOCALHOST
        )))
    }

    /// Listeners on several ports keep apart what comes to them, and one on the same port goes on with it.
    pub(super) fn store(&self) -> Result<PathBuf, Error> {
        let unknown =
            |error| Error::configuration("the folder for state is not known: say --store").because(error);
        let folders = etcetera::choose_base_strategy().map_err(unknown)?;
        let folder = folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("nuncio");
        std::fs::create_dir_all(&folder).map_err(|error| {
            Error::configuration(format!("{} cannot be made", folder.display())).because(error)
        })?;
        Ok(folder.join(format!("listen-{}.db", self.0.port())))
    }
}

/// Makes sure that no other listener delivers from this store; `None` if one does. The lock ends with the file.
pub(super) fn lock(store: &Path) -> Result<Option<File>, Error> {
    let mut path = store.as_os_str().to_owned();
    path.push(".lock");
    let failed = |error: std::io::Error| {
        Error::configuration(format!("{} cannot be locked", Path::new(&path).display())).because(error)
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_port_is_one_of_this_machine_and_others_are_refused() {
        let address = |text: &str| text.parse::<Place>().unwrap().address();
        for (text, expected) in
            [("8481", "127.0.0.1:8481"), ("localhost:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2")]
        {
            assert_eq!(address(text).unwrap().to_string(), expected);
        }
        for text in ["0.0.0.0:8481", "192.0.2.1:8481", "[::]:8481"] {
            assert!(address(text).unwrap_err().report().contains("reached by others"), "{text}");
        }
        assert!("nowhere".parse::<Place>().is_err());
    }
}
