//! Programs of this workspace as separate processes, as a deployment would run them.

use std::{
    io::Read,
    path::Path,
    process::{Child, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::child;

/// A running program. It is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts the program with these variables in addition to the test's own. It inherits standard
    /// error; its standard output is kept for [`Process::finish`].
    pub fn start(binary: impl AsRef<Path>, env: &[(&str, &str)]) -> Process {
        let binary = binary.as_ref();
        let mut command = child::command(binary);
        command
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = child::spawn(command)
            .unwrap_or_else(|error| panic!("{} does not start: {error}", binary.display()));
        let mut pipe = child.stdout.take().expect("piped");
        Process {
            name: binary
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            child,
            // A thread reads along: a program blocks for ever once its pipe is full.
            stdout: Some(thread::spawn(move || {
                let mut text = String::new();
                pipe.read_to_string(&mut text)
                    .expect("the program writes UTF-8");
                text
            })),
        }
    }

    /// Starts several copies with the same variables.
    pub fn start_copies(
        count: usize,
        binary: impl AsRef<Path>,
        env: &[(&str, &str)],
    ) -> Vec<Process> {
        (0..count)
            .map(|_| Process::start(binary.as_ref(), env))
            .collect()
    }

    /// Ends the program with SIGKILL and returns what it had printed.
    pub fn kill(mut self) -> String {
        self.child.kill().expect("a child may be killed");
        self.output()
    }

    /// Asks the program to end (SIGTERM), as a deployment would, and waits for that like
    /// [`Process::finish`].
    pub fn stop(self, within: Duration) -> String {
        let id = i32::try_from(self.child.id()).expect("ids are that small");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("a child may be stopped");
        self.finish(within)
    }

    /// Waits for the program to end and returns what it printed.
    ///
    /// # Panics
    ///
    /// If the program fails or takes longer than `within`.
    pub fn finish(mut self, within: Duration) -> String {
        let deadline = Instant::now() + within;
        let status = loop {
            match self.child.try_wait().expect("a child may be waited for") {
                Some(status) => break status,
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                None => panic!("{} is still running after {within:?}", self.name),
            }
        };
        let stdout = self.output();
        assert!(
            status.success(),
            "{} ended with {status} and printed:\n{stdout}",
            self.name
        );
        stdout
    }

    /// Everything that the program printed. It blocks until the program has ended.
    fn output(&mut self) -> String {
        let reader = self.stdout.take().expect("taken but once");
        reader.join().expect("the program's output can be read")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both calls fail harmlessly for a program that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
