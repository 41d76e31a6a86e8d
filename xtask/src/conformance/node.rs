//! node and the pinned packages of `conformance/package-lock.json`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{Environment, FOLDER, exists, once, quietly};

const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../../../conformance/package.json")),
    ("package-lock.json", include_str!("../../../conformance/package-lock.json")),
    (".npmrc", include_str!("../../../conformance/.npmrc")),
];

/// The folder that holds `node_modules`; [`script`] starts what is to see them.
pub(super) fn environment() -> Result<Environment, String> {
    for program in ["node", "npm"] {
        if !exists(program) {
            return Ok(Environment::Absent(format!("{program} not found")));
        }
    }
    let pins: String = FILES.iter().map(|(_, text)| *text).collect();
    once(Path::new(FOLDER).join("node"), &pins, |place| {
        std::fs::create_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
        for (name, text) in FILES {
            write(&place.join(name), text.as_bytes())?;
        }
        quietly(Command::new("npm").args(["ci", "--ignore-scripts", "--fetch-retries=1"]).current_dir(place))
    })
}

/// Node with the script of this name in `conformance/FOLDER`, which is [`brought`] first.
pub(super) fn script(environment: &Path, folder: &str, name: &str) -> Result<Command, String> {
    let mut node = Command::new("node");
    node.arg(brought(environment, folder)?.join(name));
    Ok(node)
}

/// A copy of `conformance/FOLDER` beside `node_modules`, since an import looks for packages from where the script lies upwards.
pub(super) fn brought(environment: &Path, folder: &str) -> Result<PathBuf, String> {
    let from = Path::new("conformance").join(folder);
    let to = environment.join(folder);
    copy(&from, &to).map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
    Ok(to)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &[u8]) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
