//! Tests of the errors that the attributes emit: each message, and the tokens that it points at.
//!
//! Each file of `tests/cases/` has one misuse, and the `.stderr` beside it what the compiler prints
//! about it. The compiler has no part in this test, so all files take less than a second. Run it
//! with `UPDATE=1` to write the `.stderr` files anew, and read the difference. The test of the
//! package `test-ui` shows that the compiler prints what `rendering` renders.

mod expansion;
mod rendering;

use std::{env, fs, path::Path};

use proc_macro2::TokenStream;

use self::{expansion::errors_of, rendering::render};

/// Returns what the compiler would print about the source of the file `name`.
fn output(name: &str, source: &str) -> String {
    let path = format!("cases/{name}.rs");
    let tokens = source.parse::<TokenStream>();
    let tokens = tokens.unwrap_or_else(|error| panic!("{path}: {error}"));
    let rendered = errors_of(tokens)
        .iter()
        .map(|error| render(error, &path, source))
        .collect::<Vec<_>>();
    rendered.join("\n")
}

#[test]
fn misuse_is_explained_where_it_stands() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rewrite/tests/cases");
    let mut wrong = Vec::new();
    let (mut sources, mut snapshots) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(&folder).expect("the folder of the cases") {
        let path = entry.expect("readable").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => sources.push(name),
            Some("stderr") => snapshots.push(name),
            _ => panic!("{} is neither a case nor its output", path.display()),
        }
    }
    sources.sort();
    snapshots.sort();
    for name in &sources {
        let source = fs::read_to_string(folder.join(name).with_extension("rs")).expect("readable");
        // The argument `limit` needs this feature; `check` has the tests of its absence.
        if cfg!(not(feature = "config")) && source.contains("limit = ") {
            continue;
        }
        let output = output(name, &source);
        assert!(!output.is_empty(), "cases/{name}.rs has no error");
        let snapshot = folder.join(name).with_extension("stderr");
        if env::var_os("UPDATE").is_some() {
            fs::write(&snapshot, &output).expect("writable");
        }
        let expected = fs::read_to_string(&snapshot).unwrap_or_default();
        if output != expected {
            wrong.push(format!("--- expected\n{expected}+++ found\n{output}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} files: run this test with UPDATE=1, and read the difference\n{}",
        wrong.len(),
        sources.len(),
        wrong.join("\n")
    );
    snapshots.retain(|name| !sources.contains(name));
    assert_eq!(snapshots, [""; 0], "output without its case");
}
