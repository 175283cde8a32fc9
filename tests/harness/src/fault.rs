//! States in which a server refuses commands with an error: busy in a script, loading its keys, out
//! of memory.

use std::{
    fs,
    thread::{self, JoinHandle},
    time::Duration,
};

use redis::{RedisResult, Value};

use super::{server::Server, wait};

/// `lua-time-limit` in milliseconds: a script that runs longer makes the server answer `BUSY`.
const SLOW_AFTER_MILLIS: &str = "20";

/// Bound for a state to begin or to end.
const CHANGED_WITHIN: Duration = Duration::from_secs(5);

/// The number of keys that a loading server reads slowly.
const KEYS: u32 = 20;

/// The size of one of these keys. A loading server serves its clients after every two megabytes, so
/// each key is larger than that.
const KEY_BYTES: u32 = 2_200_000;

impl Server {
    /// Keeps the server busy in an endless script. Until the returned value is dropped, other
    /// clients get `BUSY`.
    pub fn busy(&self) -> Busy<'_> {
        // Redis 7 renamed this setting and still accepts the old name.
        let _: String = self.cli(&["CONFIG", "SET", "lua-time-limit", SLOW_AFTER_MILLIS]);
        let url = self.url();
        let script = thread::spawn(move || {
            // No read timeout: the script ends when it is killed, or the server with the test.
            let outcome: RedisResult<Value> = redis::Client::open(url)
                .and_then(|client| client.get_connection())
                .and_then(|mut connection| {
                    let mut script = redis::cmd("EVAL");
                    script.arg("while true do end").arg(0);
                    script.query(&mut connection)
                });
            outcome.map(drop)
        });
        let busy = Busy {
            server: self,
            script: Some(script),
        };
        self.await_answer("BUSY", true);
        busy
    }

    /// Restarts the server so that it takes about `for_about` to load its keys. Meanwhile it
    /// answers `LOADING`, with a delay of a twentieth of that time. It keeps the keys that it had,
    /// and has some 40 megabytes more in keys named `loading:1` and so on. Any later
    /// [`Server::restart`] is an ordinary one.
    pub fn restart_loading(&mut self, for_about: Duration) {
        let fill = format!(
            "for i = 1, {KEYS} do redis.call('SET', 'loading:' .. i, string.rep('x', {KEY_BYTES})) end"
        );
        let _: Value = self.cli(&["EVAL", &fill, "0"]);
        let _: String = self.cli(&["CONFIG", "SET", "rdbcompression", "no"]);
        let _: String = self.cli(&["SAVE"]);
        self.kill();
        let ordinary = self.extra_args.len();
        let pause = (for_about / KEYS).as_micros().to_string();
        self.extra_args
            .extend(["--key-load-delay", &pause].map(str::to_owned));
        self.relaunch();
        self.extra_args.truncate(ordinary);
        self.await_answer("LOADING", true);
        // The server has the file open already; a later restart must not find it.
        fs::remove_file(self.snapshot()).expect("it was saved");
    }

    /// Waits until the server has loaded all its keys.
    pub fn await_loaded(&self, within: Duration) {
        let loaded = wait::until(within, || self.answer());
        if let Err(last) = loaded {
            panic!("still {last} after {within:?}\n{}", self.tail());
        }
    }

    /// Limits the memory of the server. When the limit is below what the server uses, it answers
    /// `OOM` to every command that may need more. 0 means no limit.
    pub fn limit_memory(&self, bytes: u64) {
        let _: String = self.cli(&["CONFIG", "SET", "maxmemory", &bytes.to_string()]);
    }

    fn await_answer(&self, code: &str, expected: bool) {
        let outcome = wait::until(CHANGED_WITHIN, || {
            let answer = self.answer();
            if (answer.as_ref().err().map(String::as_str) == Some(code)) == expected {
                Ok(())
            } else {
                Err(format!("{answer:?}"))
            }
        });
        if let Err(last) = outcome {
            let not = if expected { "not" } else { "still" };
            panic!(
                "{not} {code} after {CHANGED_WITHIN:?}, but {last}\n{}",
                self.tail()
            );
        }
    }

    /// The outcome of a command that changes nothing. An error is reduced to its code, the first
    /// word.
    fn answer(&self) -> Result<(), String> {
        self.try_cli::<Option<String>>(&["GET", "throttle-test-nothing"])
            .map(drop)
            .map_err(|error| error.code().unwrap_or("silent").to_owned())
    }
}

/// A server that runs an endless script, from [`Server::busy`].
#[derive(Debug)]
pub struct Busy<'a> {
    server: &'a Server,
    script: Option<JoinHandle<RedisResult<()>>>,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        // This fails if the script is over already or the server was killed; both are fine.
        let _ = self.server.try_cli::<Value>(&["SCRIPT", "KILL"]);
        if let Some(script) = self.script.take() {
            let _ = script.join();
        }
        if self.server.is_up() && !thread::panicking() {
            self.server.await_answer("BUSY", false);
        }
    }
}
