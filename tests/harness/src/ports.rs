//! Ports and folders that no other test uses.

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

/// The distance between the two ports of a server. The cluster bus uses the same distance.
pub(super) const SECOND: u16 = 10_000;

/// Ports of servers that need one. They lie below 32768, where Linux begins to take the ports of
/// outgoing connections from. While a killed server is down, no connection may take its port. A
/// client that keeps reconnecting is the worst case: the kernel may give it that port as its own,
/// and the client is then connected to itself.
const SINGLE: Range<u16> = 22_000..30_000;

/// First ports of servers that need two, apart from [`SINGLE`]. The second ports start at 30000.
const PAIRED: Range<u16> = 20_000..22_000;

/// A port that is reserved while this value lives, even when no server listens on it. Without the
/// reservation, another test process could take the port of a killed server.
#[derive(Debug)]
pub struct Port {
    pub number: u16,
    /// The lock file. The kernel releases the lock when the process ends, for whatever reason.
    _lock: File,
}

/// Reserves a free port. Each call tries the next one.
pub fn free_port() -> Port {
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(first);
    next(&NEXT, SINGLE, is_free)
}

/// Reserves a port that is free together with the one [`SECOND`] above it.
pub(super) fn free_pair() -> Port {
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(first);
    next(&NEXT, PAIRED, |port| {
        is_free(port) && is_free(port + SECOND)
    })
}

/// The starting point of a port counter. It depends on the process id, so that parallel test
/// processes rarely try the same ports.
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

/// Locks a port for all checkouts on this machine, because they share its ports.
fn lock(port: u16) -> Option<File> {
    let folder = env::temp_dir().join("throttle-test-ports");
    fs::create_dir_all(&folder).expect("the folder for such things is writable");
    // A file that another user created cannot be opened; its port is skipped.
    let file = File::create(folder.join(port.to_string())).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The folder of all server folders. It is inside cargo's target folder, so `cargo clean` removes
/// what a killed process has left.
const FOLDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tmp");

/// Creates a new folder with a name that is unique in this process.
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
            // A killed process that had the same id left it behind.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{}: {error}", folder.display()),
        }
    }
}
