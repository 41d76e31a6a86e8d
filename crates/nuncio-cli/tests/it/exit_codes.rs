//! Each way to fail has its code.

use axum::response::Response;

use crate::support::{Home, json, serve};

/// Short of the first backoff, so that a failure that would be tried again ends at once.
const SHORT: &str = "--deadline=900ms";

fn answer(path: &str) -> Response {
    match path {
        "/html" => Response::new("<html>".into()),
        "/429" => {
            let mut response = json(429, "{}");
            response.headers_mut().insert("retry-after", "3600".parse().unwrap());
            response
        }
        "/302" => {
            let mut response = json(302, "");
            response.headers_mut().insert("location", "https://other.example/".parse().unwrap());
            response
        }
        "/big" => Response::new(vec![b' '; 65 * 1024 * 1024].into()),
        path => json(path.trim_start_matches('/').parse().unwrap_or(200), r#"{"said":"so"}"#),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_answer_decides() {
    let url = serve(|request| answer(request.uri().path())).await;
    let home = Home::new();
    let table = [
        ("/200", 0),
        ("/302", 3),
        ("/404", 4),
        ("/422", 4),
        ("/500", 5),
        ("/501", 5),
        ("/401", 8),
        ("/429", 9),
        ("/big", 12),
    ];
    for (path, code) in table {
        home.run(&["call", "GET", &format!("{url}{path}"), SHORT]).ends_with(code);
    }
    home.run(&["call", "GET", &format!("{url}/html"), "--jq", ".a"]).ends_with(12);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_a_failure_is_data_and_its_explanation_is_not() {
    let url = serve(|request| answer(request.uri().path())).await;
    let home = Home::new();
    let target = format!("{url}/404");
    let ran = home.run(&["call", "GET", &target]).ends_with(4);
    assert_eq!(ran.out, r#"{"said":"so"}"#);
    assert!(ran.err.starts_with("nuncio: 404 Not Found\n"), "{}", ran.err);
    assert_eq!(home.run(&["call", "GET", &target, "--fail"]).ends_with(4).out, "");

    let error = home.run(&["call", "GET", &target, "--json"]).json("error");
    assert_eq!(
        (error["kind"].as_str(), error["status"].as_u64(), error["exit_code"].as_u64()),
        (Some("status"), Some(404), Some(4))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_and_no_answer_are_told_apart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let home = Home::new();
    home.run(&["call", "GET", &silent, "--timeout=100ms", SHORT]).ends_with(10);
    drop(listener);
    home.run(&["call", "GET", &silent, SHORT]).ends_with(11);
}

#[test]
fn a_wrong_command_line_ends_before_anything_is_sent() {
    let home = Home::new();
    home.run(&["call"]).ends_with(2);
    home.run(&["call", "GET", "https://api.example.com", "--timeout", "30"]).ends_with(2);
    home.run(&["call", "GET", "http://api.example.com"]).ends_with(1);
    assert!(home.run(&["--help"]).ends_with(0).out.contains("Exit codes:"));
    home.run(&["--version"]).ends_with(0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_and_a_closed_pipe_have_codes_of_their_own() {
    use std::process::Stdio;

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let home = Home::new();
    let mut child =
        home.command(&["call", "GET", &silent]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The request has come, so the program is listening for signals.
    let connection = listener.accept().unwrap();
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(connection);

    let url = serve(|_| Response::new(vec![b'x'; 8 * 1024 * 1024].into())).await;
    let mut child =
        home.command(&["call", "GET", &url]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
