//! What a server was asked, as the server itself tells it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    sync::atomic::{AtomicU32, Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::server::Server;

/// Longer than any test is quiet; a server that died is noticed at once anyway.
const SILENCE: Duration = Duration::from_secs(120);

/// Listens to every command that a server runs, from [`Monitor::start`] to [`Monitor::finish`].
#[derive(Debug)]
pub struct Monitor {
    port: u16,
    password: Option<String>,
    sentinel: String,
    reader: JoinHandle<Vec<String>>,
}

impl Monitor {
    /// Returns when the server is listening: no command sent afterwards is missed.
    pub fn start(server: &Server) -> Monitor {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let sentinel = format!(
            "monitor-ends-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );

        let password = server.password().map(str::to_owned);
        let mut lines = open(server.port(), password.as_deref());
        ask(&mut lines, "MONITOR");
        let reader = {
            let sentinel = sentinel.clone();
            thread::spawn(move || {
                lines
                    .lines()
                    .map(|line| line.expect("the server lives until the monitor is finished"))
                    .take_while(|line| !line.contains(&sentinel))
                    .map(|line| line.trim_start_matches('+').to_owned())
                    .collect()
            })
        };
        Monitor {
            port: server.port(),
            password,
            sentinel,
            reader,
        }
    }

    /// Every line as the server gave it: `1700000000.123456 [0 127.0.0.1:50000] "SET" "k" "v"`, with
    /// `[0 lua]` for what a script called. Everything the server had run before this call is there.
    pub fn finish(self) -> Vec<String> {
        // A mark in the stream itself instead of a pause: the server reports in the order it executes.
        let mut connection = open(self.port, self.password.as_deref());
        ask(&mut connection, &format!("ECHO {}", self.sentinel));
        let mut lines = self.reader.join().expect("the monitor reads to its end");
        // The marking connection logs in where there is a password; that is no command of the test's.
        let address = connection.get_ref().local_addr().expect("connected");
        lines.retain(|line| !line.contains(&format!(" {address}] ")));
        lines
    }

    /// The commands that clients sent, each as name and arguments, without what scripts called.
    /// The name is in capitals, whatever the client wrote.
    pub fn commands(self) -> Vec<Vec<String>> {
        self.finish()
            .iter()
            .filter_map(|line| {
                let (_, rest) = line.split_once(" [")?;
                let (origin, arguments) = rest.split_once("] ")?;
                // `0 lua`, or `0 127.0.0.1:50000` with the number of the database in front.
                (!origin.ends_with(" lua")).then(|| split(arguments))
            })
            .collect()
    }
}

/// A bare connection: a client library would greet the server with commands of its own.
fn open(port: u16, password: Option<&str>) -> BufReader<TcpStream> {
    let stream =
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server accepts connections");
    stream.set_read_timeout(Some(SILENCE)).expect("not zero");
    let mut stream = BufReader::new(stream);
    if let Some(password) = password {
        ask(&mut stream, &format!("AUTH {password}"));
    }
    stream
}

/// Sends a command in the protocol's plain form and reads the first line of the answer.
fn ask(stream: &mut BufReader<TcpStream>, command: &str) {
    stream
        .get_mut()
        .write_all(format!("{command}\r\n").as_bytes())
        .expect("the server reads");
    let mut answer = String::new();
    stream.read_line(&mut answer).expect("the server answers");
    assert!(answer.starts_with(['+', '$']), "{command}: {answer}");
}

/// Undoes the server's quoting: `"SET" "a \"b\""` becomes `SET` and `a "b"`. Bytes outside of ASCII
/// stay as the server writes them, `\xc3`.
fn split(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut chars = line.chars();
    while chars.by_ref().any(|c| c == '"') {
        let mut argument = String::new();
        loop {
            match chars.next().expect("the quotes are closed") {
                '"' => break,
                '\\' => match chars.next().expect("something is escaped") {
                    c @ ('"' | '\\') => argument.push(c),
                    'n' => argument.push('\n'),
                    'r' => argument.push('\r'),
                    't' => argument.push('\t'),
                    other => argument.extend(['\\', other]),
                },
                c => argument.push(c),
            }
        }
        arguments.push(argument);
    }
    if let Some(name) = arguments.first_mut() {
        name.make_ascii_uppercase();
    }
    arguments
}
