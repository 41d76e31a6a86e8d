//! Service files: every mistake has a place and can be shown; a file that loads can be connected and called.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::Kind;
use nuncio_service::{Connection, Env, Inputs, Problems, Service, Settings};

fuzz_target!(|text: &str| {
    match Service::from_yaml(text, "made-up.yaml") {
        Ok(service) => connect(service),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Configuration);
            let problems = error.cause::<Problems>().expect("a mistake has its place");
            assert!(!problems.list.is_empty());
            assert!(problems.list.is_sorted());
            assert!(problems.list.iter().all(|problem| problem.line > 0 && problem.column > 0));
            let shown = error.report();
            assert!(shown.contains(&problems.list[0].message.lines().next().unwrap_or_default().to_owned()));
            // Each line of the file is shown in part, each message names what stands there.
            assert!(shown.len() < 4096 + 64 * text.len(), "{} bytes for {}", shown.len(), text.len());
        }
    }
});

fn connect(service: Service) {
    let env = Env::new(|_| Some("made-up-value".to_owned()));
    let operations = service.operations.clone();
    let Ok(connection) = Connection::new(service, Settings { env, ..Settings::default() }) else { return };
    for (name, operation) in operations {
        let _ = connection.pages(&name);
        let inputs: Inputs = operation.input.keys().map(|input| (input.clone(), "1")).collect();
        for inputs in [Inputs::new(), inputs] {
            if let Ok(call) = connection.call(&name, inputs) {
                let _ = call.preview();
            }
        }
    }
}
