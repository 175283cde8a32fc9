//! Tests of the table: what operators build on does not change unseen, and what is made of the
//! table is up to date. Run them with `UPDATE=1` to write the files anew, and read the difference.

mod alerts;
mod contract;
mod dashboard;
mod page;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The path of a file of the repository, from the folder of this package. `None` where the package
/// stands alone: it has no `ops` folder then.
fn repository(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    root.join("ops").is_dir().then(|| root.join(path))
}

/// Checks that a file has this text, or writes it under `UPDATE=1`.
fn holds(path: &Path, text: &str) {
    if env::var_os("UPDATE").is_some() {
        fs::write(path, text).expect("writable");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == text,
        "{} is not what the table says: run this test with UPDATE=1, and read the difference",
        path.display()
    );
}
