//! States in which a server answers, but not with what it was asked for.

use std::{
    fs,
    thread::{self, JoinHandle},
    time::Duration,
};

use redis::{RedisResult, Value};

use super::{server::Server, wait};

/// After this long a script is one that others are told of.
const SLOW_AFTER_MILLIS: &str = "20";

/// For a state to begin or to end.
const CHANGED_WITHIN: Duration = Duration::from_secs(5);

/// What a restart reads slowly, key by key.
const KEYS: u32 = 20;

/// Of one such key: more than the two megabytes after which a server that reads looks at its clients.
const KEY_BYTES: u32 = 2_200_000;

impl Server {
    /// Keeps the server in a script: until the value is dropped, others get BUSY.
    pub fn busy(&self) -> Busy<'_> {
        // Redis 7 has a new name for it, and knows this one still.
        let _: String = self.cli(&["CONFIG", "SET", "lua-time-limit", SLOW_AFTER_MILLIS]);
        let url = self.url();
        let script = thread::spawn(move || {
            // No limit to the wait for its end: the server dies with the test.
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

    /// Starts the server again as one that takes about this long to read its keys, and meanwhile
    /// answers LOADING, each time late by a twentieth of it. What it had it has again, and some 40
    /// megabytes in keys named `loading:1` and so on. Any later [`Server::restart`] is an ordinary one.
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
        // It has the file open; nobody is to find it again.
        fs::remove_file(self.snapshot()).expect("it was saved");
    }

    /// Waits until it has read all its keys.
    pub fn await_loaded(&self, within: Duration) {
        let loaded = wait::until(within, || self.answer());
        if let Err(last) = loaded {
            panic!("still {last} after {within:?}\n{}", self.tail());
        }
    }

    /// As much memory as it may take; with less than it has, it answers OOM to whatever would take
    /// more. 0 is no limit.
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

    /// To a command that changes nothing; of an error only its first word.
    fn answer(&self) -> Result<(), String> {
        self.try_cli::<Option<String>>(&["GET", "throttle-test-nothing"])
            .map(drop)
            .map_err(|error| error.code().unwrap_or("silent").to_owned())
    }
}

/// A server in a script, from [`Server::busy`].
#[derive(Debug)]
pub struct Busy<'a> {
    server: &'a Server,
    script: Option<JoinHandle<RedisResult<()>>>,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        // Refused where the script is over already, and by a server that was killed.
        let _ = self.server.try_cli::<Value>(&["SCRIPT", "KILL"]);
        if let Some(script) = self.script.take() {
            let _ = script.join();
        }
        if self.server.is_up() && !thread::panicking() {
            self.server.await_answer("BUSY", false);
        }
    }
}
