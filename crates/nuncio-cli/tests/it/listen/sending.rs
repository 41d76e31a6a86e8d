//! `send` and `trigger`: one request, and what came of it.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use super::listening::{Target, home};

const SEND: [&str; 4] = ["webhook", "send", "standard-webhooks", "--id"];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_answers_is_told_and_nothing_is_sent_again() {
    let home = home().with_env("KEY", "whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM=");
    for status in [503, 429, 500] {
        let target = Target::answering(status).await;
        home.write("body.json", r#"{"id": "made-up"}"#);
        let url = target.url();
        let args = [&SEND[..], &["msg_1", &url, "--secret-env", "KEY", "--body-file", "body.json"]].concat();
        let ran = home.run(&args);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("made-up answer"), "{ran:?}");
        assert_eq!(target.got().len(), 1, "{status}");
        assert_eq!(target.got()[0].headers["webhook-id"], "msg_1");
    }
}

#[test]
fn an_interrupt_says_that_it_may_have_arrived() {
    let home = home().with_env("KEY", "whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM=");
    home.write("body.json", "{}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let args = [&SEND[..], &["msg_1", &url, "--secret-env", "KEY", "--body-file", "body.json"]].concat();
    let child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stream, _) = silent.accept().unwrap();
    let mut head = [0; 64];
    stream.read_exact(&mut head).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("whether the call was done is not known"), "{err}");
}
