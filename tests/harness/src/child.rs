//! Children that do not outlive the test process, even when it is killed.

use std::{
    ffi::OsStr,
    io,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    thread,
};

/// A command for `program` that the kernel kills when this process is gone, where there is `setpriv`
/// to ask for that: Rust itself cannot without unsafe code. To be started with [`spawn`].
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    if setpriv() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Starts the command from a thread that never ends. The kernel counts a parent as dead when the
/// thread that started the child is, and a test's thread ends long before a server shared in a static.
pub(super) fn spawn(command: Command) -> io::Result<Child> {
    type Job = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();

    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in queue {
                // Nobody waits for the answer only when the asking thread is gone; then so may be the child.
                let _ = answer.send(command.spawn());
            }
        });
        jobs
    });
    let (answer, child) = channel();
    spawner
        .send((command, answer))
        .expect("the spawner lives as long as the process");
    child.recv().expect("the spawner answers every job")
}

/// Tried rather than looked up: `BusyBox` has a `setpriv` that does not know the option.
fn setpriv() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}
