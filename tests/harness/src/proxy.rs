//! A TCP proxy between a client and its server that can delay, lose and cut what it carries.

mod mode;

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    ops::Range,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    ports::{Port, free_port},
    wait,
};

pub use self::mode::Mode;

/// Bound for the proxy to bind a port; another process may take a port first.
const BOUND_WITHIN: Duration = Duration::from_secs(5);

/// A proxy in front of a port of 127.0.0.1, on a port of its own. It ends when it is dropped, and
/// its connections with it. While the server's port refuses connections, the proxy closes a new
/// connection at once.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
    /// Reserves the port. Nothing else gets it while clients still connect to the proxy.
    _reservation: Port,
}

impl Proxy {
    /// Starts a proxy in front of the server's port, in mode [`Mode::Pass`].
    pub fn start(port: u16) -> Proxy {
        // A reserved port, not one that the kernel chooses: the kernel would hand the port of a
        // dropped proxy to the next process that asks.
        let (listener, reservation) = wait::until(BOUND_WITHIN, || {
            let port = free_port();
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.number));
            listener
                .map(|listener| (listener, port))
                .map_err(|error| error.to_string())
        })
        .unwrap_or_else(|error| panic!("no port for a proxy: {error}"));
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        shared.state().port = port;
        let listening = {
            let shared = shared.clone();
            thread::spawn(move || {
                for near in listener.incoming().map_while(Result::ok) {
                    if shared.state().ended {
                        break;
                    }
                    shared.accept(near);
                }
            })
        };
        Proxy {
            address,
            shared,
            listening: Some(listening),
            _reservation: reservation,
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub fn set(&self, mode: Mode) {
        let mut state = self.shared.state();
        state.mode = mode;
        if mode == Mode::Refuse {
            state.cut_all();
        }
        self.shared.changed.notify_all();
    }

    /// Swallows on the newest connection and the following ones, `count` in all, whatever the mode
    /// is; 0 ends it. Other connections are not affected.
    pub fn deafen(&self, count: usize) {
        let mut state = self.shared.state();
        let newest = state.open.keys().max().copied().unwrap_or_default();
        state.deaf = newest..newest.saturating_add(count);
    }

    /// Stops carrying anything on the connections that are open now, for good and without closing
    /// them. New connections follow the mode.
    pub fn forsake(&self) {
        let mut state = self.shared.state();
        state.deaf = 0..state.accepted + 1;
    }

    /// Directs new connections to this port. Open connections stay where they are.
    pub fn point_to(&self, port: u16) {
        self.shared.state().port = port;
    }

    /// The number of connections that are open now.
    pub fn connections(&self) -> usize {
        self.shared.state().open.len()
    }

    /// The number of connections accepted so far, including those that were cut at once.
    pub fn accepted(&self) -> usize {
        self.shared.state().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.set(Mode::Refuse);
        // The listener thread only wakes up for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// The port that new connections lead to.
    port: u16,
    ended: bool,
    accepted: usize,
    /// Both sockets of each open connection, by its number in order of acceptance.
    open: HashMap<usize, [TcpStream; 2]>,
    /// The numbers of the connections that swallow.
    deaf: Range<usize>,
}

impl Default for State {
    fn default() -> Self {
        State {
            mode: Mode::Pass,
            port: 0,
            ended: false,
            accepted: 0,
            open: HashMap::new(),
            deaf: 0..0,
        }
    }
}

impl State {
    fn cut(&mut self, number: usize) {
        for end in self.open.remove(&number).into_iter().flatten() {
            // The other side may have closed it already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn cut_all(&mut self) {
        for number in self.open.keys().copied().collect::<Vec<_>>() {
            self.cut(number);
        }
    }
}

/// The fate of a chunk of bytes.
enum Fate {
    Write,
    Forget,
    WriteAndCut(usize),
    WriteAndHold,
    Cut,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, near: TcpStream) {
        let (number, port) = {
            let mut state = self.state();
            state.accepted += 1;
            if state.mode == Mode::Refuse {
                return;
            }
            (state.accepted, state.port)
        };
        let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
            return;
        };
        for end in [&near, &far] {
            // Small packets would wait for each other otherwise (Nagle's algorithm).
            end.set_nodelay(true).expect("it is connected");
        }
        let clone = |end: &TcpStream| end.try_clone().expect("a socket can be cloned");
        let mut state = self.state();
        state.open.insert(number, [clone(&near), clone(&far)]);
        if state.mode == Mode::Refuse {
            state.cut(number);
            return;
        }
        drop(state);
        let request = (clone(&near), clone(&far));
        for ((from, to), is_reply) in [(request, false), ((far, near), true)] {
            let shared = self.clone();
            thread::spawn(move || {
                shared.relay(number, from, to, is_reply);
                shared.state().cut(number);
            });
        }
    }

    /// Carries one direction of one connection until it ends.
    fn relay(&self, number: usize, mut from: TcpStream, mut to: TcpStream, is_reply: bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let passed = match self.fate(number, is_reply) {
                Fate::Write => to.write_all(&buffer[..count]).is_ok(),
                Fate::Forget => true,
                Fate::WriteAndCut(bytes) => {
                    // A failed write does not matter: the connection is cut in any case.
                    let _ = to.write_all(&buffer[..count.min(bytes)]);
                    false
                }
                Fate::WriteAndHold => {
                    let passed = to.write_all(&buffer[..count]).is_ok();
                    self.hold();
                    passed
                }
                Fate::Cut => false,
            };
            if !passed {
                break;
            }
        }
    }

    /// Decides what happens to a chunk under the current mode. It blocks while the mode holds it
    /// back.
    fn fate(&self, number: usize, is_reply: bool) -> Fate {
        let mut state = self.state();
        if state.deaf.contains(&number) {
            return Fate::Forget;
        }
        loop {
            match state.mode {
                Mode::Pass => return Fate::Write,
                Mode::Delay(distance) => {
                    drop(state);
                    // The test is about this delay; a condition cannot replace the sleep.
                    thread::sleep(distance);
                    return Fate::Write;
                }
                Mode::Swallow => return Fate::Forget,
                Mode::Refuse => return Fate::Cut,
                Mode::CutReply(bytes) if is_reply => {
                    state.mode = Mode::Pass;
                    return Fate::WriteAndCut(bytes);
                }
                Mode::LoseReply if is_reply => {
                    state.mode = Mode::Pass;
                    return Fate::Forget;
                }
                Mode::Stall if is_reply => {
                    let changed = self.changed.wait(state);
                    state = changed.unwrap_or_else(PoisonError::into_inner);
                }
                Mode::PassOnce if is_reply => {
                    state.mode = Mode::Stall;
                    return Fate::WriteAndHold;
                }
                // A request.
                _ => return Fate::Write,
            }
        }
    }

    /// Waits until the proxy does not stall.
    fn hold(&self) {
        let mut state = self.state();
        while state.mode == Mode::Stall {
            let changed = self.changed.wait(state);
            state = changed.unwrap_or_else(PoisonError::into_inner);
        }
    }
}
