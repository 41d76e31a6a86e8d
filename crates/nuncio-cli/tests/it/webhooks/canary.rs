//! A secret is on no stream, whatever goes wrong.

use super::{AT, LATER};
use crate::support::{Home, Ran};

/// Base64, so that it is a key of every scheme, with what stands behind the prefix of one.
const CANARY: &str = "whsec_bWFkZS11cC1jYW5hcnktMDEyMzQ1Njc4OQ==";
const BARE: &str = "bWFkZS11cC1jYW5hcnktMDEyMzQ1Njc4OQ";

#[track_caller]
fn is_clean(ran: &Ran, what: &str) {
    for stream in [&ran.out, &ran.err] {
        assert!(!stream.contains(BARE) && !stream.contains("made-up-canary"), "{what}: {ran:#?}");
    }
}

#[test]
fn no_stream_has_the_secret() {
    let home = Home::new()
        .with_env("CANARY", CANARY)
        .with_env("OTHER", "made-up-other")
        .with_env("NUNCIO_LOG", "trace");
    home.write("secret.txt", CANARY);
    home.write("binary.txt", b"\xffmade-up-canary");
    home.write("headers.txt", &format!("X-Gitlab-Token: {CANARY}\nwebhook-id: {BARE}\nwebhook-timestamp: {AT}\nwebhook-signature: v1,{BARE}\n"));
    home.write("body.json", &format!("{{\"id\":\"{CANARY}\",\"type\":\"{CANARY}\"}}"));
    home.write("wrong.txt", &format!("{CANARY}\n"));
    home.write(
        "shop.yaml",
        "service: shop\nbase_url: https://api.example.com\nwebhooks: { scheme: pusher, secret: '{{ env.CANARY }}', settings: { app_key: '{{ env.CANARY }}' } }\n",
    );
    let secrets: [&[&str]; 8] = [
        &["--secret-env", "CANARY"],
        &["--secret-file", "secret.txt"],
        &["--secret-env", "a=CANARY", "--secret-env", "b=OTHER"],
        // Mistakes.
        &["--secret-env", CANARY],
        &["--secret-file", CANARY],
        &["--secret-file", "binary.txt"],
        &["--secret-env", "OTHER", "-H", CANARY],
        &["--secret-env", "OTHER", "-H", "@wrong.txt"],
    ];
    let mut runs = 0;
    for provider in ["gitlab", "standard-webhooks", "discord", "shop.yaml", "mailgun"] {
        for secret in secrets {
            for more in [&[][..], &["--explain"], &["--explain", "--json"], &["--json", "-v"]] {
                let args = [
                    "webhook",
                    "verify",
                    provider,
                    "--body-file",
                    "body.json",
                    "-H",
                    "@headers.txt",
                    "--at",
                    AT,
                ];
                let args = [&args, secret, more].concat();
                is_clean(&home.run(&args), &args.join(" "));
                runs += 1;
            }
            let secret: Vec<&str> = secret.iter().copied().take_while(|word| *word != "-H").collect();
            for more in [&[][..], &["--json"], &["--curl", "http://localhost:1/"]] {
                let args = [&["webhook", "sign", provider, "--at", LATER][..], &secret, more].concat();
                is_clean(&home.run(&args), &args.join(" "));
                runs += 1;
            }
        }
    }
    assert_eq!(runs, 5 * 8 * 7);
}
