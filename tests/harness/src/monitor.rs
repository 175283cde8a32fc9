//! A record of the commands that a server runs, from the server's own `MONITOR`.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    sync::atomic::{AtomicU32, Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::server::Server;

/// Read timeout, longer than any test is quiet. A dead server is noticed at once regardless.
const SILENCE: Duration = Duration::from_secs(120);

/// Records every command that a server runs, from [`Monitor::start`] to [`Monitor::finish`].
#[derive(Debug)]
pub struct Monitor {
    port: u16,
    password: Option<String>,
    sentinel: String,
    reader: JoinHandle<Vec<String>>,
}

impl Monitor {
    /// Starts recording. Commands that are sent after it returned are never missed.
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

    /// Ends the recording and returns each line as the server wrote it:
    /// `1700000000.123456 [0 127.0.0.1:50000] "SET" "k" "v"`, with `[0 lua]` for a command that a
    /// script called. It contains everything that the server ran before this call.
    pub fn finish(self) -> Vec<String> {
        // A sentinel command marks the end, not a pause: the server reports commands in order.
        let mut connection = open(self.port, self.password.as_deref());
        ask(&mut connection, &format!("ECHO {}", self.sentinel));
        let mut lines = self.reader.join().expect("the monitor reads to its end");
        // The sentinel's connection may send `AUTH` first, which the test did not send.
        let address = connection.get_ref().local_addr().expect("connected");
        lines.retain(|line| !line.contains(&format!(" {address}] ")));
        lines
    }

    /// Ends the recording and returns the commands that clients sent, each as name and arguments,
    /// without those that scripts called. The name is in capitals.
    pub fn commands(self) -> Vec<Vec<String>> {
        self.finish()
            .iter()
            .filter_map(|line| {
                let (_, rest) = line.split_once(" [")?;
                let (origin, arguments) = rest.split_once("] ")?;
                // The origin is `0 lua` or `0 127.0.0.1:50000`; the number is that of the database.
                (!origin.ends_with(" lua")).then(|| split(arguments))
            })
            .collect()
    }
}

/// Opens a plain TCP connection. A client library would send commands of its own.
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

/// Sends an inline command and reads the first line of the reply.
fn ask(stream: &mut BufReader<TcpStream>, command: &str) {
    stream
        .get_mut()
        .write_all(format!("{command}\r\n").as_bytes())
        .expect("the server reads");
    let mut answer = String::new();
    stream.read_line(&mut answer).expect("the server answers");
    assert!(answer.starts_with(['+', '$']), "{command}: {answer}");
}

/// Splits a line of `MONITOR` and undoes its quoting: `"SET" "a \"b\""` becomes `SET` and `a "b"`.
/// Bytes outside of ASCII stay as the server writes them, such as `\xc3`.
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
