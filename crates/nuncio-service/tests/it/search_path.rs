//! Where service files are found, and which of two wins.

use std::path::Path;

use nuncio_client::Kind;
use nuncio_service::{Catalog, Origin, Problems};

/// A folder that is removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("nuncio-service-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        for (file, text) in files {
            std::fs::write(path.join(file), text).expect("a file");
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn service(name: &str, about: &str) -> String {
    format!("service: {name}\nabout: {about}\nbase_url: https://{name}.example.com\n")
}

fn about(catalog: &Catalog, name: &str) -> String {
    catalog.get(name).expect(name).about.expect("an about")
}

#[test]
fn every_file_of_the_catalog_is_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let files = Catalog::new().with_folder(&folder).unwrap();
    let built_in = Catalog::built_in();
    let names = |catalog: &Catalog| catalog.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&built_in), names(&files));
    for name in names(&built_in) {
        assert_eq!(built_in.text(&name).unwrap(), files.text(&name).unwrap(), "{name}");
        built_in.get(&name).unwrap_or_else(|error| panic!("{}", error.report()));
    }
}

#[test]
fn the_later_folder_wins_and_a_file_wins_over_both() {
    let user = Folder::new(
        "user",
        &[("shop.yaml", &service("shop", "user")), ("stripe.yaml", &service("stripe", "mine"))],
    );
    let here = Folder::new("here", &[("shop.yml", &service("shop", "here")), ("notes.txt", "no service")]);
    let file = Folder::new("file", &[("draft.yaml", &service("shop", "draft"))]);
    let catalog = Catalog::built_in().with_folder(&user.0).unwrap();
    assert_eq!((about(&catalog, "shop"), about(&catalog, "stripe")), ("user".to_owned(), "mine".to_owned()));
    let catalog = catalog.with_folder(&here.0).unwrap();
    assert_eq!(about(&catalog, "shop"), "here");
    let catalog = catalog.with_file(&file.0.join("draft.yaml")).unwrap();
    assert_eq!(about(&catalog, "shop"), "draft");
    let origins: Vec<_> =
        catalog.iter().filter(|(name, _)| ["github", "notes", "draft"].contains(name)).collect();
    assert_eq!(origins, [("github", &Origin::BuiltIn)]);
}

#[test]
fn a_folder_that_does_not_exist_has_no_services() {
    let catalog = Catalog::new().with_folder(Path::new("/does/not/exist")).unwrap();
    assert_eq!(catalog.iter().count(), 0);
}

#[test]
fn a_file_with_a_mistake_does_no_harm_to_the_others() {
    let folder = Folder::new("broken", &[("a.yaml", "service: a\n"), ("b.yaml", &service("b", "fine"))]);
    let catalog = Catalog::new().with_folder(&folder.0).unwrap();
    assert_eq!(about(&catalog, "b"), "fine");
    let error = catalog.get("a").unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.cause::<Problems>().is_some(), "{}", error.report());
}

#[test]
fn a_file_is_named_after_its_service() {
    let folder = Folder::new("named", &[("shop.yaml", &service("store", "other"))]);
    let error = Catalog::new().with_folder(&folder.0).unwrap().get("shop").unwrap_err();
    assert!(error.to_string().ends_with("describes the service store, not shop"), "{error}");
}

#[test]
fn a_name_is_never_a_path() {
    let error = Catalog::built_in().get("../../services/stripe").unwrap_err();
    assert!(error.to_string().contains("there is no service"), "{error}");
}

#[test]
fn a_huge_file_is_not_read_whole() {
    let folder = Folder::new("huge", &[("big.yaml", &"#\n".repeat(1024 * 1024))]);
    let error = Catalog::new().with_folder(&folder.0).unwrap().get("big").unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
}
