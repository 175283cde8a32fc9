//! Copies of a program of ours, as a deployment would run them.

use std::{
    io::Read,
    path::Path,
    process::{Child, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::child;

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts the program with these variables on top of the test's own. Its standard error goes to
    /// the test's, its standard output is kept for [`Process::finish`].
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
            // Read along: a program that fills its pipe would wait for ever.
            stdout: Some(thread::spawn(move || {
                let mut text = String::new();
                pipe.read_to_string(&mut text)
                    .expect("the program writes UTF-8");
                text
            })),
        }
    }

    /// Several copies, all with the same variables.
    pub fn start_copies(
        count: usize,
        binary: impl AsRef<Path>,
        env: &[(&str, &str)],
    ) -> Vec<Process> {
        (0..count)
            .map(|_| Process::start(binary.as_ref(), env))
            .collect()
    }

    /// Ends the program with SIGKILL and gives what it had printed.
    pub fn kill(mut self) -> String {
        self.child.kill().expect("a child may be killed");
        self.output()
    }

    /// Waits for the program to end and gives what it printed.
    ///
    /// # Panics
    ///
    /// When it fails, or takes longer than `within`.
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

    /// All that it printed, once it has ended.
    fn output(&mut self) -> String {
        let reader = self.stdout.take().expect("taken but once");
        reader.join().expect("the program's output can be read")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both are no errors for a program that has ended; for any other there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
