//! The relay's config file: every mistake has a place and can be shown; one that loads can be served.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::Kind;
use nuncio_gateway::Config;
use nuncio_service::{Env, Problems};

fuzz_target!(|text: &str| {
    let env = Env::new(|_| Some("made-up-value".to_owned()));
    match Config::from_yaml(text, "made-up.yaml", &env) {
        Ok(config) => drop(config.options()),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Configuration);
            let problems = error.cause::<Problems>().expect("a mistake has its place");
            assert!(!problems.list.is_empty());
            assert!(problems.list.iter().all(|problem| problem.line > 0 && problem.column > 0));
            assert!(!error.report().is_empty());
        }
    }
});
