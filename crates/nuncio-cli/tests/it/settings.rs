//! `nuncio endpoints`, `sources`, `applications` and `tokens`: what is set up in a gateway that serves.

use serde_json::{Value, json};

use crate::serving::{SECRET, Serving, webhook};
use crate::support::{Home, Ran};

const ENDPOINT_SECRET: &str = "whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM=";

/// A gateway, and the commands that ask it.
struct Asked {
    home: Home,
    serving: Serving,
}

impl Asked {
    fn new(files: &[(&str, &str)], args: &[&str]) -> Self {
        let home = Home::new().with_env("SHOP_SECRET", SECRET).with_env("ENDPOINT_SECRET", ENDPOINT_SECRET);
        files.iter().for_each(|(name, text)| home.write(name, *text));
        let serving = Serving::start(&home, args);
        Self { home, serving }
    }

    fn run(&self, line: &str) -> Ran {
        self.run_with(line, "")
    }

    /// The command with `input` on its standard input.
    fn run_with(&self, line: &str, input: &str) -> Ran {
        let args: Vec<&str> = line.split(' ').chain(["--gateway", &self.serving.url]).collect();
        self.home.run_with(&args, input)
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(&format!("{line} --json")).ends_with(0).out).unwrap()
    }

    fn end(self) {
        self.serving.signal("TERM");
        assert_eq!(self.serving.end().0, Some(0));
    }
}

#[test]
fn what_flags_do_not_name_stays_as_it_is() {
    let asked = Asked::new(&[], &[]);
    asked.run("sources set shop --scheme stripe --secret-env SHOP_SECRET").ends_with(0);
    assert_eq!(webhook(&asked.home, &format!("{}/in/shop", asked.serving.url)), 0, "it has the secret");
    let made = asked
        .run("endpoints set billing --from source/shop --types charge.*,refund.* --url https://billing.example.com/ --secret-env ENDPOINT_SECRET")
        .ends_with(0);
    assert!(made.err.contains("is set up"), "{made:?}");
    asked.run("endpoints set billing --rate 10/s").ends_with(0);
    let settings = asked.json("endpoints show billing")["settings"].clone();
    assert_eq!(settings["types"], json!(["charge.*", "refund.*"]), "{settings}");
    assert_eq!(settings["to"]["http"]["secrets"], json!(["***"]));
    assert_eq!(settings["delivery"]["rate"], "10/s");
    asked.end();
}

#[test]
fn a_file_is_all_that_is_set_up_and_reads_the_environment() {
    let asked = Asked::new(&[], &[]);
    asked.run("applications set acme --title Acme").ends_with(0);
    let file = "from: application/acme\nto: { http: { url: 'https://acme.example.com/', secrets: ['{{ env.ENDPOINT_SECRET }}'] } }\n\
                delivery: { rate: 5/s }\n";
    asked.run_with("endpoints set acme --file -", file).ends_with(0);
    // A rotation goes on from the secret that the variable has.
    asked.run("endpoints rotate-secret acme").ends_with(0);
    asked
        .run_with("endpoints set acme --file -", &file.replace("delivery: { rate: 5/s }\n", ""))
        .ends_with(0);
    let shown = asked.json("endpoints show acme");
    assert_eq!(shown["settings"]["delivery"]["rate"], Value::Null, "{shown}");
    let missing = asked.run_with("endpoints set acme --file -", &file.replace("ENDPOINT_SECRET", "NOT_SET"));
    assert!(missing.ends_with(1).err.contains("NOT_SET"));
    let typo = asked.run_with("endpoints set acme --file -", "from: [\n").ends_with(1);
    assert!(typo.err.contains("-:"), "{typo:?}");
    let list = asked.run_with("endpoints set acme --file -", "- from\n").ends_with(1);
    assert!(list.err.contains("settings are keys with values"), "{list:?}");
    asked.end();
}

#[test]
fn a_secret_rotates_by_two_commands() {
    let asked = Asked::new(&[], &[]);
    asked.run("applications set acme").ends_with(0);
    asked
        .run("endpoints set acme --from application/acme --url https://acme.example.com/ --secret-env ENDPOINT_SECRET")
        .ends_with(0);
    let made = asked.run("endpoints rotate-secret acme").ends_with(0);
    assert!(made.out.starts_with("whsec_") && made.err.contains("--end"), "{made:?}");
    let secrets =
        |asked: &Asked| asked.json("endpoints show acme")["settings"]["to"]["http"]["secrets"].clone();
    assert_eq!(secrets(&asked), json!(["***", "***"]));
    asked.run("endpoints rotate-secret acme --end").ends_with(0);
    assert_eq!(secrets(&asked), json!(["***"]));
    let given = asked.run("endpoints rotate-secret acme --secret-env ENDPOINT_SECRET").ends_with(0);
    assert_eq!(given.out, "", "it is known already");
    asked.end();
}

#[test]
fn what_is_not_there_is_told_with_what_is_near() {
    let asked = Asked::new(&[], &[]);
    let none = asked.run("sources show shop").ends_with(4);
    assert!(none.err.contains("no source is set up yet"), "{none:?}");
    asked.run("sources set shop --scheme stripe --secret-env SHOP_SECRET").ends_with(0);
    for line in ["sources show shp", "sources delete shp", "sources refused shp"] {
        let near = asked.run(line).ends_with(4);
        assert!(near.err.contains("did you mean shop?"), "{near:?}");
    }
    let refused =
        asked.run("endpoints set billing --from source/shp --url https://billing.example.com/").ends_with(4);
    assert!(refused.err.contains("shp"), "{refused:?}");
    asked.run("sources delete shop").ends_with(0);
    assert_eq!(asked.json("sources list"), json!([]));
    asked.end();
}

#[test]
fn what_a_file_says_is_changed_in_that_file() {
    let file = "sources:\n  shop: { scheme: stripe, secrets: { current: \"{{ env.SHOP_SECRET }}\" } }\n";
    let asked = Asked::new(&[("relay.yaml", file)], &["relay.yaml"]);
    for line in ["sources delete shop", "sources set shop --tolerance 1m"] {
        let refused = asked.run(line).ends_with(4);
        assert!(refused.err.contains("relay.yaml"), "{refused:?}");
    }
    asked.end();
}

#[test]
fn what_a_source_refused_is_listed_and_a_bound_is_told() {
    let asked = Asked::new(&[], &[]);
    asked.run("sources set shop --scheme stripe --secret-env SHOP_SECRET").ends_with(0);
    let url = format!("{}/in/shop", asked.serving.url);
    // Of a flood only some are kept: at most one in a tenth of a second.
    let kept = (0..100).map(|_| {
        asked.home.run(&["call", "POST", &url, "-d", "{}"]).ends_with(8);
        asked.json("sources refused shop")
    });
    let refused = kept.into_iter().find(|kept| kept.as_array().unwrap().len() == 3).unwrap();
    assert_eq!(refused[0]["body"], "{}", "{refused}");
    let bounded = asked.run("sources refused shop --limit 2").ends_with(0);
    assert!(bounded.err.contains("newest 2"), "{bounded:?}");
    asked.end();
}

#[test]
fn a_token_is_shown_when_it_is_made_and_taken_back() {
    let asked = Asked::new(&[], &[]);
    let made = asked.run("tokens create ops --scope read,admin").ends_with(0);
    let token = made.out.trim();
    let home = Home::new().with_env("NUNCIO_TOKEN", token);
    let list = ["tokens", "list", "--json", "--gateway", &asked.serving.url];
    let listed = home.run(&list).ends_with(0).out;
    assert!(listed.contains("ops") && !listed.contains(token), "{listed}");
    asked.run("tokens list").ends_with(8);
    home.run(&["tokens", "create", "ops", "--scope", "read", "--gateway", &asked.serving.url]).ends_with(4);
    home.run(&["tokens", "delete", "ops", "--gateway", &asked.serving.url]).ends_with(0);
    assert_eq!(asked.json("tokens list"), json!([]), "without tokens it is open to this machine");
    asked.end();
}
