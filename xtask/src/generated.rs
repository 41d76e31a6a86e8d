//! Files that are generated from the code and committed, so that they can be read without building anything.

use std::path::Path;

use crate::command::{cargo, output};

/// A committed file and the example program that prints it.
struct Generated {
    file: &'static str,
    package: &'static str,
    example: &'static str,
}

const GENERATED: &[Generated] = &[
    Generated { file: "docs/catalog.md", package: "nuncio-service", example: "catalog_docs" },
    Generated { file: "docs/openapi.json", package: "nuncio-gateway", example: "openapi" },
    Generated { file: "docs/relay.schema.json", package: "nuncio-gateway", example: "config_schema" },
    Generated { file: "docs/service-files.md", package: "nuncio-service", example: "service_reference" },
    Generated { file: "docs/webhooks.md", package: "nuncio-service", example: "webhook_docs" },
    Generated { file: "services/service.schema.json", package: "nuncio-service", example: "service_schema" },
];

/// Fails on the first file that differs from what its generator prints.
pub(crate) fn check() -> Result<(), String> {
    for generated in GENERATED {
        let committed = std::fs::read_to_string(generated.file).unwrap_or_default();
        if let Some(line) = first_difference(&committed, &generated.print()?) {
            return Err(format!(
                "{} is out of date from line {line}; run `cargo xtask generate`",
                generated.file
            ));
        }
    }
    Ok(())
}

/// Writes every file anew.
pub(crate) fn write() -> Result<(), String> {
    for generated in GENERATED {
        let directory = Path::new(generated.file).parent().expect("generated files lie in a directory");
        let printed = generated.print()?;
        std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(generated.file, printed))
            .map_err(|error| format!("{}: {error}", generated.file))?;
        println!("wrote {}", generated.file);
    }
    Ok(())
}

impl Generated {
    fn print(&self) -> Result<String, String> {
        let run = ["run", "--quiet", "--locked", "--package", self.package, "--example", self.example];
        let printed = output(&mut cargo(run))?.stdout;
        String::from_utf8(printed).map_err(|error| format!("{}: {error}", self.example))
    }
}

/// The number of the first line in which the texts differ.
fn first_difference(committed: &str, printed: &str) -> Option<usize> {
    if committed == printed {
        return None;
    }
    let same = committed
        .lines()
        .zip(printed.lines())
        .take_while(|(committed, printed)| committed == printed)
        .count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_found_at_its_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(first_difference("a", "a\n"), Some(2));
    }

    #[test]
    fn every_decision_is_in_the_index() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/decisions");
        let index = std::fs::read_to_string(format!("{directory}/README.md")).expect("the index");
        for note in std::fs::read_dir(directory).expect("the directory") {
            let note = note.expect("an entry").file_name().into_string().expect("a UTF-8 name");
            assert!(
                note == "README.md" || index.contains(&format!("({note})")),
                "{note} is missing from the index"
            );
        }
    }
}
