//! Chromium's driver, which starts browsers and tells them what to do.

use std::{
    env,
    fs::File,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::{Child, Stdio},
    time::Duration,
};

use super::{
    child,
    ports::{Port, free_port, fresh_folder},
    wait::until,
};

/// Bound for the driver to listen; a few milliseconds on an idle machine.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A running driver, with a folder for the profiles of its browsers. Dropped, it closes its
/// browsers and ends.
#[derive(Debug)]
pub struct Chromedriver {
    port: Port,
    child: Child,
    pub folder: PathBuf,
}

impl Chromedriver {
    /// Starts the driver. `tests/run` says where it and the browser are.
    ///
    /// # Panics
    ///
    /// If it is not installed or does not start.
    pub fn start() -> Self {
        let (port, folder) = (free_port(), fresh_folder());
        let program = program("THROTTLE_TEST_CHROMEDRIVER", "chromedriver");
        let log = File::create(folder.join("log")).expect("the folder is writable");
        let mut command = child::command(&program);
        command
            .arg(format!("--port={}", port.number))
            .env("HOME", &folder)
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file can be cloned"))
            .stdout(log);
        let child = child::spawn(command).unwrap_or_else(|error| {
            panic!("{program} does not start: {error}; apt-get install chromium chromium-driver")
        });
        let driver = Self {
            port,
            child,
            folder,
        };
        let ready = until(LONGEST_WAIT, || driver.request("/status"));
        if let Err(error) = ready {
            panic!("{program} does not listen: {error}");
        }
        driver
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number)
    }

    /// The browser that it is to start.
    pub fn browser() -> String {
        program("THROTTLE_TEST_CHROMIUM", "chromium")
    }

    /// Sends a request, and waits for the beginning of its answer: the driver keeps connections
    /// open.
    fn request(&self, path: &str) -> Result<(), String> {
        let run = || {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port.number))?;
            stream.set_read_timeout(Some(LONGEST_WAIT))?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            stream.read_exact(&mut [0; "HTTP/1.1 200".len()])
        };
        run().map_err(|error: std::io::Error| error.to_string())
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // It closes the browsers of open sessions, which a kill would leave behind.
        let _ = self.request("/shutdown");
        let ended = until(Duration::from_secs(5), || match self.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            _ => Err(String::new()),
        });
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn program(variable: &str, default: &str) -> String {
    env::var(variable).unwrap_or_else(|_| default.to_owned())
}
