//! What can happen between a client and its server.

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

/// For another process not to be faster.
const BOUND_WITHIN: Duration = Duration::from_secs(5);

/// What a [`Proxy`] does with all its connections, open ones and new ones alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Everything arrives this much later, each way.
    Delay(Duration),
    /// Takes what the client sends and forgets it; nothing comes back, later neither.
    Swallow,
    /// Cuts the open connections, and new ones as soon as they are there.
    Refuse,
    /// Requests reach the server; so many bytes of the next reply reach the client, and the connection
    /// is cut. It happens once, to one connection; what follows is [`Mode::Pass`].
    CutReply(usize),
    /// Requests reach the server; its replies wait for another mode.
    Stall,
}

/// Stands in front of a port of 127.0.0.1 on a port of its own; gone when dropped, and its
/// connections with it. While the port refuses, so does the proxy: a connection is closed at once.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
    /// Of the port: nothing else has it while connections to the proxy are still being made.
    _reservation: Port,
}

impl Proxy {
    /// In front of the server's port. It passes everything on at first.
    pub fn start(port: u16) -> Proxy {
        // Not just any the kernel has: it would give a dropped proxy's away to the next that asks.
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

    /// Swallows on the newest connection and the next ones, so many in all, whatever the mode; with 0
    /// on none any more. The others do not notice.
    pub fn deafen(&self, count: usize) {
        let mut state = self.shared.state();
        let newest = state.open.keys().max().copied().unwrap_or_default();
        state.deaf = newest..newest.saturating_add(count);
    }

    /// Carries nothing on the open connections any more, for good, and does not say so. New ones are
    /// as the mode says.
    pub fn forsake(&self) {
        let mut state = self.shared.state();
        state.deaf = 0..state.accepted + 1;
    }

    /// Leads new connections to this port. Open ones stay where they are.
    pub fn point_to(&self, port: u16) {
        self.shared.state().port = port;
    }

    /// How many connections are open now.
    pub fn connections(&self) -> usize {
        self.shared.state().open.len()
    }

    /// How many there have been, those that were cut at once included.
    pub fn accepted(&self) -> usize {
        self.shared.state().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.set(Mode::Refuse);
        // The listener wakes up for a connection only.
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
    /// Where new connections lead.
    port: u16,
    ended: bool,
    accepted: usize,
    /// Both ends of each, by the number it was accepted with.
    open: HashMap<usize, [TcpStream; 2]>,
    /// Numbers of those that swallow.
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
            // The other side may have been faster.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn cut_all(&mut self) {
        for number in self.open.keys().copied().collect::<Vec<_>>() {
            self.cut(number);
        }
    }
}

/// What becomes of a chunk of bytes.
enum Fate {
    Write,
    Forget,
    WriteAndCut(usize),
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
            // Pieces as small as the protocol's would otherwise wait for one another.
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
                shared.carry(number, from, to, is_reply);
                shared.state().cut(number);
            });
        }
    }

    /// One way of one connection, to its end.
    fn carry(&self, number: usize, mut from: TcpStream, mut to: TcpStream, is_reply: bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let passed = match self.fate(number, is_reply) {
                Fate::Write => to.write_all(&buffer[..count]).is_ok(),
                Fate::Forget => true,
                Fate::WriteAndCut(bytes) => {
                    // Cut in any case.
                    let _ = to.write_all(&buffer[..count.min(bytes)]);
                    false
                }
                Fate::Cut => false,
            };
            if !passed {
                break;
            }
        }
    }

    /// By the mode of the moment, which may take a while to tell.
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
                    // The distance itself: it is what the test is about.
                    thread::sleep(distance);
                    return Fate::Write;
                }
                Mode::Swallow => return Fate::Forget,
                Mode::Refuse => return Fate::Cut,
                Mode::CutReply(bytes) if is_reply => {
                    state.mode = Mode::Pass;
                    return Fate::WriteAndCut(bytes);
                }
                Mode::Stall if is_reply => {
                    let changed = self.changed.wait(state);
                    state = changed.unwrap_or_else(PoisonError::into_inner);
                }
                Mode::CutReply(_) | Mode::Stall => return Fate::Write,
            }
        }
    }
}
