//! Ports that nothing else takes, and folders likewise.

use std::{
    env,
    fs::{self, File},
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// How much higher the second port of a server is that has two. The cluster's own choice for its bus.
pub(super) const SECOND: u16 = 10_000;

/// Below 32768, where Linux begins to take the ports of outgoing connections from. While a killed
/// server is down nothing may slip into its port, least of all a client of it that keeps reconnecting:
/// the kernel can hand that client the very port as its own, and it is then connected to itself.
const SINGLE: Range<u16> = 22_000..30_000;

/// Apart from [`SINGLE`], and so are the second ports, from 30000: neither of a pair is anybody else's.
const PAIRED: Range<u16> = 20_000..22_000;

/// A port that is nobody else's as long as the value lives, also while no server listens on it:
/// another test process could else take the port of a killed server.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) number: u16,
    /// The kernel takes the lock back when the process ends, however it does.
    _lock: File,
}

/// Each port in turn.
pub(super) fn free_port() -> Port {
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(first);
    next(&NEXT, SINGLE, is_free)
}

/// One that is free together with the port [`SECOND`] higher.
pub(super) fn free_pair() -> Port {
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(first);
    next(&NEXT, PAIRED, |port| {
        is_free(port) && is_free(port + SECOND)
    })
}

/// By the process id, so that test processes running side by side seldom try the same.
fn first() -> AtomicU32 {
    AtomicU32::new(std::process::id().wrapping_mul(97))
}

fn next(counter: &AtomicU32, mut ports: Range<u16>, free: impl Fn(u16) -> bool) -> Port {
    let (start, count) = (ports.start, u32::from(ports.end - ports.start));
    ports
        .by_ref()
        .map(|_| counter.fetch_add(1, Ordering::Relaxed) % count)
        .map(|offset| start + u16::try_from(offset).expect("smaller than the range"))
        .find_map(|number| {
            let lock = lock(number)?;
            free(number).then_some(Port {
                number,
                _lock: lock,
            })
        })
        .expect("one of the ports is free")
}

/// For all checkouts on this machine: they share its ports.
fn lock(port: u16) -> Option<File> {
    let folder = env::temp_dir().join("throttle-test-ports");
    fs::create_dir_all(&folder).expect("the folder for such things is writable");
    // What another user has created is that user's.
    let file = File::create(folder.join(port.to_string())).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Beside what cargo builds: `cargo clean` removes what a killed process has left.
const FOLDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tmp");

/// A new folder; the name is no other's in this process.
pub(super) fn fresh_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let name = format!(
            "server-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = Path::new(FOLDERS).join(name);
        match fs::create_dir(&folder) {
            Ok(()) => return folder,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(FOLDERS).expect("the target folder is writable");
            }
            // Left by a killed process that had the same id.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{}: {error}", folder.display()),
        }
    }
}
