//! `check` and `diff`.

use std::{env, fs, path::PathBuf, process};

use serde_json::json;

use crate::{Said, throttle};

/// A folder that is removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("throttle-cli-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn example(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/src/config/");
    format!("{folder}{name}")
}

#[test]
fn valid_file_passes() {
    for name in ["example.toml", "example.yaml"] {
        let said = throttle(&["check", &example(name), "--identifier", "by_user"]).status(0);
        assert!(
            said.out.contains("valid, 3 named limits, 3 rules"),
            "{said:?}"
        );
        let arguments = ["check", "--json", &example(name), "--identifier", "by_user"];
        let said = throttle(&arguments).status(0);
        assert_eq!(said.json()["valid"], json!(true));
    }
    // The application's identifier was not named.
    let said = throttle(&["check", &example("example.toml")]).status(1);
    assert!(
        said.out.contains("unknown identifier `by_user`"),
        "{said:?}"
    );
}

#[test]
fn errors_of_a_file_are_listed_with_their_positions() {
    let folder = Folder::new("errors");
    let file = folder.write(
        "a.toml",
        "limits.a = '0/minute'\nlimits.b = '5/fortnight'\n",
    );
    let said = throttle(&["check", &file]).status(1);
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines.len(), 2, "{said:?}");
    assert!(lines[0].starts_with(&format!("{file}:1:12: ")), "{said:?}");
    assert!(lines[1].starts_with(&format!("{file}:2:12: ")), "{said:?}");
    let said = throttle(&["check", "--json", &file]).status(1);
    let document = said.json();
    assert_eq!(document["valid"], json!(false));
    assert_eq!(document["diagnostics"][1]["line"], json!(2));
}

/// An entry that the middleware would refuse when it starts is an error here, too.
#[test]
fn rules_that_would_not_start_do_not_pass() {
    let folder = Folder::new("rules");
    for (text, reason) in [
        (
            "[[rules]]\nlimits = ['1/s', '2/s']",
            "would share its counter",
        ),
        (
            "[[rules]]\nlimits = [{ max = 1 }, { max = 2 }]",
            "would share its permits",
        ),
        (
            "[[rules]]\nname = 'a'\nlimits = ['1/s']\n[[rules]]\nname = 'a'\nlimits = ['2/s']",
            "are named `a`",
        ),
    ] {
        let file = folder.write("a.toml", text);
        let said = throttle(&["check", &file]).status(1);
        assert!(said.out.contains(reason), "{said:?}");
    }
}

#[test]
fn file_that_cannot_be_read_is_wrong_usage() {
    let folder = Folder::new("unreadable");
    throttle(&["check", "/no/such/file.toml"]).status(2);
    let file = folder.write("rules.json", "{}");
    let said = throttle(&["check", &file]).status(2);
    assert!(said.err.contains(".toml, .yaml or .yml"), "{said:?}");
    let file = folder.write("a.toml", "rules = []");
    let said = throttle(&["check", &file, "--identifier", "ip"]).status(2);
    assert!(said.err.contains("`ip`"), "{said:?}");
}

fn diff(old: &str, new: &str, more: &[&str]) -> Said {
    throttle(&[&["diff", old, new], more].concat())
}

#[test]
fn diff_lists_what_a_reload_changes() {
    let folder = Folder::new("diff");
    let old = folder.write(
        "old.toml",
        "limits.login = '5/minute'\nlimits.a = '1/s'\nrules = []",
    );
    let new = folder.write("new.yaml", "limits: { login: 6/minute }\nrules: []");
    let said = diff(&old, &new, &[]).status(0);
    assert_eq!(
        said.out,
        "limit a removed: 1/1s\nlimit login changed: 5/1m → 6/1m\n"
    );
    diff(&old, &new, &["--exit-code"]).status(1);
    let said = diff(&old, &old, &["--exit-code"]).status(0);
    assert_eq!(said.out, "nothing changes\n");
    let said = diff(&old, &new, &["--json"]).status(0);
    let expected = json!({"changes": [
        {"change": "limit a removed: 1/1s", "removes": true},
        {"change": "limit login changed: 5/1m → 6/1m", "removes": false},
    ]});
    assert_eq!(said.json(), expected);
}

#[test]
fn diff_refuses_what_a_reload_refuses() {
    let folder = Folder::new("refused");
    let rules = "rules = [{ path = '^/a', limits = ['1/s'] }]";
    let old = folder.write("old.toml", rules);
    let cut = folder.write("cut.toml", "limits.a = '1/s'");
    let said = diff(&old, &cut, &[]).status(1);
    assert!(said.out.contains("was it cut off?"), "{said:?}");
    let wrong = folder.write("wrong.toml", "limits.a = 'x'");
    let said = diff(&wrong, &old, &[]).status(1);
    assert!(said.out.starts_with(&format!("{wrong}:1:12: ")), "{said:?}");
    let said = diff(&old, &wrong, &["--json"]).status(1);
    assert_eq!(said.json()["invalid"][0]["file"], json!(wrong));
    diff(&old, "/no/such/file.toml", &[]).status(2);
}
