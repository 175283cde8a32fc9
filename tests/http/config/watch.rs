//! Configuration files that are watched and reloaded.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_throttle::{
    Config, Event, Identity, Observer, RateLimiter, Rule,
    config::{Format, Watch},
};
use nix::sys::signal::{Signal, raise};

use super::load::Folder;
use harness::{
    eventually_async,
    http::app::{get, in_own_process},
};

/// Bound for a change to take effect: a few polls of the file, on a busy machine.
const BOUND: Duration = Duration::from_secs(20);

/// A limiter that shows what a configuration says about the limit `login`.
struct View(RateLimiter);

impl View {
    async fn of(config: &Config) -> Self {
        let builder = RateLimiter::builder().memory().config(config);
        Self(builder.build().await.expect("valid settings"))
    }

    async fn times(&self) -> u32 {
        let rules = [Rule::named("login").identifier(|_: &_| Identity::global())];
        let request = get("/").to_http_request();
        let decision = self.0.check_request(&request, &rules).await;
        let decision = decision.expect("a name").expect("a decision");
        decision.limits()[0].quota()
    }

    async fn becomes(&self, times: u32) {
        let what = format!("{times} times");
        eventually_async(&what, BOUND, async || self.times().await == times).await;
    }
}

/// The log of a separate process, readable inside it; it also goes to standard error.
pub(super) struct Lines(Mutex<String>);

static LINES: Lines = Lines(Mutex::new(String::new()));

impl Lines {
    pub(super) fn install() {
        log::set_logger(&LINES).expect("the first");
        log::set_max_level(log::LevelFilter::Info);
    }

    pub(super) async fn have(words: &str) {
        let logged = async || LINES.0.lock().expect("no panic").contains(words);
        eventually_async(words, BOUND, logged).await;
    }
}

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}\n", record.level(), record.args());
        eprint!("{line}");
        *self.0.lock().expect("no panic") += &line;
    }

    fn flush(&self) {}
}

fn login(times: u32) -> String {
    format!("limits.login = '{times}/minute'")
}

/// Replaces a file as editors do: a new file is renamed over the old one.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).expect("a file");
    fs::rename(new, path).expect("a rename");
}

#[actix_web::test]
async fn a_file_is_read_again_however_it_is_written() {
    let folder = Folder::new();
    let path = folder.write("rules.toml", &login(1));
    let config = Config::load(&path).expect("a right file");
    let view = View::of(&config).await;
    let watch = config.watch().expect("a thread");
    assert_eq!(view.times().await, 1);
    fs::write(&path, login(2)).expect("a file");
    view.becomes(2).await;
    replace(&path, &login(3));
    view.becomes(3).await;
    fs::remove_file(&path).expect("a file");
    fs::write(&path, login(4)).expect("a file");
    view.becomes(4).await;
    drop(watch);
}

#[cfg(unix)]
#[actix_web::test]
async fn a_link_that_is_turned_is_a_change() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let (one, other) = (
        folder.write("one.toml", &login(1)),
        folder.write("other.toml", &login(2)),
    );
    let (link, next) = (folder.path("rules.toml"), folder.path("next.toml"));
    symlink(one, &link).expect("a link");
    let config = Config::load(&link).expect("a right file");
    let view = View::of(&config).await;
    let _watch = config.watch().expect("a thread");
    symlink(other, &next).expect("a link");
    fs::rename(next, link).expect("a rename");
    view.becomes(2).await;
}

#[actix_web::test]
async fn replaced_configuration_stays_until_the_file_changes() {
    let folder = Folder::new();
    let path = folder.write("rules.toml", &login(1));
    let other_path = folder.write("other.toml", &login(1));
    let [config, other] = [&path, &other_path].map(|path| Config::load(path).expect("a file"));
    let [view, other_view] = [View::of(&config).await, View::of(&other).await];
    let early = config.replace(&login(7));
    assert!(!early.expect("a right text").is_empty());
    let _watches = [&config, &other].map(|config| config.watch().expect("a thread"));
    // Each of these changes takes two polls of the other file.
    for times in 2..=4 {
        replace(&other_path, &login(times));
        other_view.becomes(times).await;
        assert_eq!(view.times().await, 7);
        config.replace(&login(7)).expect("a right text");
    }
    replace(&path, &login(2));
    view.becomes(2).await;
}

#[cfg(unix)]
#[test]
fn file_without_an_end_is_an_error() {
    let folder = Folder::new();
    let link = folder.path("rules.toml");
    std::os::unix::fs::symlink("/dev/zero", &link).expect("a link");
    let error = Config::load(&link).expect_err("a device").to_string();
    assert!(error.ends_with("it is not a regular file"), "{error}");
}

/// An observer that drops the watch when it hears of a reload, and says that it has.
#[derive(Clone, Default)]
struct DropsWatch {
    watch: Arc<Mutex<Option<Watch>>>,
    has_dropped: Arc<AtomicBool>,
}

impl Observer for DropsWatch {
    fn observe(&self, event: &Event<'_>) {
        let watch = self.watch.lock().expect("no panic").take();
        if matches!(event, Event::Reloaded { .. }) && watch.is_some() {
            drop(watch);
            self.has_dropped.store(true, Ordering::Relaxed);
        }
    }
}

#[actix_web::test]
async fn watch_that_an_observer_drops_ends() {
    let folder = Folder::new();
    let path = folder.write("rules.toml", &login(1));
    let config = Config::load(&path).expect("a right file");
    let observer = DropsWatch::default();
    let builder = RateLimiter::builder().memory().config(&config);
    let builder = builder.observer(observer.clone());
    let _limiter = builder.build().await.expect("valid settings");
    *observer.watch.lock().expect("no panic") = Some(config.watch().expect("a thread"));
    replace(&path, &login(2));
    eventually_async("the watch is dropped", BOUND, async || {
        observer.has_dropped.load(Ordering::Relaxed)
    })
    .await;
}

#[test]
fn a_text_cannot_be_watched() {
    let config = Config::parse("rules = []", Format::Toml).expect("a right file");
    let error = config.watch().expect_err("no file").to_string();
    assert!(error.contains("it came from a text"), "{error}");
    assert!(config.reload().expect_err("no file").is_unreadable());
}

#[actix_web::test]
async fn a_wrong_file_keeps_the_good_one_and_is_logged_once() {
    let this = "config::watch::a_wrong_file_keeps_the_good_one_and_is_logged_once";
    let Some(log) = in_own_process(this) else {
        Lines::install();
        let folder = Folder::new();
        let path = folder.write("rules.toml", &login(1));
        let config = Config::load(&path).expect("a right file");
        let view = View::of(&config).await;
        let watch = config.watch().expect("a thread");
        replace(&path, "limits.login = '2/minuet'");
        Lines::have("unknown unit of time").await;
        assert_eq!(view.times().await, 1);
        replace(&path, &login(3));
        view.becomes(3).await;
        drop(watch);
        return;
    };
    let told = log.matches("unknown unit of time `minuet`").count();
    assert_eq!(told, 1, "{log}");
    assert!(
        log.contains("ERROR") && log.contains("stays as it was"),
        "{log}"
    );
    assert!(log.contains("rules.toml:1:16: "), "{log}");
    let difference = "limit login changed: 1/1m → 3/1m";
    assert!(log.contains(difference), "{log}");
}

#[actix_web::test]
async fn sighup_reloads_and_ends_no_process() {
    let this = "config::watch::sighup_reloads_and_ends_no_process";
    let Some(log) = in_own_process(this) else {
        Lines::install();
        let folder = Folder::new();
        let path = folder.write("rules.toml", &login(1));
        let config = Config::load(&path).expect("a right file");
        let view = View::of(&config).await;
        let watch = config.watch().expect("a thread");
        // A reload without a change is logged too.
        raise(Signal::SIGHUP).expect("a signal");
        Lines::have("nothing has changed").await;
        fs::write(&path, login(2)).expect("a file");
        raise(Signal::SIGHUP).expect("a signal");
        view.becomes(2).await;
        drop(watch);
        raise(Signal::SIGHUP).expect("a signal");
        assert_eq!(view.times().await, 2);
        return;
    };
    assert!(log.contains("rules.toml: nothing has changed"), "{log}");
}
