//! Child processes that end with the test process, even when it is killed. Everything that starts a
//! program goes through this module.

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

/// Creates a command for `program` that the kernel kills when this process ends
/// (`PR_SET_PDEATHSIG`). It runs through `setpriv` where that works, because Rust itself cannot ask
/// for the signal without unsafe code. Start it with [`spawn`].
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    if setpriv() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Starts the command from a thread that never ends. The kernel sends the parent-death signal when
/// the *thread* that started the child ends, and a test's thread ends long before a server that is
/// shared in a static.
pub(super) fn spawn(command: Command) -> io::Result<Child> {
    type Job = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();

    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in queue {
                // The send fails only when the asking thread is gone; its child is then not needed
                // either.
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

/// Reports whether `setpriv --pdeathsig` works. It runs the program and does not only look for it,
/// because the `setpriv` of `BusyBox` does not know the option.
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
