//! Configuration files loaded from disk.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use actix_throttle::{Config, Identifier, config::Format};

/// A folder that belongs to a test. It is removed when dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("throttle-config-{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        path
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_end_of_the_name_says_what_a_file_is_written_in() {
    let folder = Folder::new();
    for (name, text) in [
        ("a.toml", "limits.a = '1/s'"),
        ("a.TOML", "limits.a = '1/s'"),
        ("a.yaml", "limits: {a: 1/s}"),
        ("a.yml", "limits: {a: 1/s}"),
    ] {
        Config::load(folder.write(name, text)).expect(name);
    }
    let error = Config::load(folder.write("a.json", "{}")).expect_err("no JSON");
    assert!(error.is_unreadable(), "{error}");
    assert!(
        error.to_string().contains("let it end in `.toml`"),
        "{error}"
    );
}

#[test]
fn errors_name_the_file() {
    let folder = Folder::new();
    let path = folder.write("rules.toml", "limits.a = '1/x'");
    let error = Config::load(&path).expect_err("an error").to_string();
    assert!(
        error.starts_with(&format!("{}:1:12: ", path.display())),
        "{error}"
    );

    let missing = Config::load(folder.path("none.toml")).expect_err("no file");
    assert!(missing.is_unreadable() && missing.diagnostics().is_empty());
    assert!(
        missing.to_string().contains("none.toml: cannot be read"),
        "{missing}"
    );

    fs::write(&path, b"a = '\xff'").expect("a file");
    let garbage = Config::load(&path).expect_err("no UTF-8");
    assert!(garbage.is_unreadable(), "{garbage}");
    assert!(Config::load(Path::new("/")).is_err());
}

#[test]
fn identifiers_of_the_application_cannot_take_words_of_the_file() {
    for name in ["ip", "header", "", "a:b"] {
        let config = Config::builder().identifier(name, Identifier::ip());
        let error = config.parse("", Format::Toml).expect_err(name).to_string();
        assert!(error.contains("give it another name"), "{error}");
    }
}
