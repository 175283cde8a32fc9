//! Windows that begin and end while several processes lease from them.

use super::start;
use harness::{Process, Server, ServerVersion, stores::unique};

const PROCESSES: usize = 3;
const TIMES: usize = 600;
const LEASE: usize = 50;
/// The length of the window in microseconds.
const WINDOW: u64 = 1_000_000;

/// The times of a request and its response, and the reported end of its window, in microseconds.
#[derive(Clone, Copy)]
struct Admission {
    asked: u64,
    replied: u64,
    end: u64,
}

fn admissions(process: Process) -> Vec<Admission> {
    let said = process.finish(std::time::Duration::from_secs(60));
    let mut lines: Vec<_> = said.lines().collect();
    // The last line is the sum.
    lines.pop();
    let admission = |line: &str| {
        let mut numbers = line.split(' ').map(|number| number.parse().unwrap());
        let (asked, replied) = (numbers.next().unwrap(), numbers.next().unwrap());
        let reset: u64 = numbers.next().unwrap();
        Admission {
            asked,
            replied,
            end: asked + reset,
        }
    };
    lines.into_iter().map(admission).collect()
}

/// All admissions of all processes, in the order of their requests.
fn load_clients(limit: &str) -> Vec<Admission> {
    let server = Server::start(ServerVersion::Redis7);
    let lease = LEASE.to_string();
    let more = [("LEASE", lease.as_str()), ("MILLIS", "3500"), ("TELL", "")];
    let processes = start(PROCESSES, &server, &unique("lease"), limit, &more);
    let mut all: Vec<_> = processes.into_iter().flat_map(admissions).collect();
    all.sort_by_key(|one| one.asked);
    all
}

/// The most admissions that certainly fell into one window.
fn most(all: &[Admission]) -> usize {
    let within = |(index, first): (usize, &Admission)| {
        let end = first.asked + WINDOW;
        let later = all[index..].iter().take_while(|one| one.asked < end);
        later.filter(|one| one.replied < end).count()
    };
    all.iter().enumerate().map(within).max().unwrap_or(0)
}

#[test]
fn no_fixed_window_holds_more_than_the_limit() {
    let mut all = load_clients("fixed_window/600/1000/0");
    // Each reported end is early by the duration of the response, so the ends of one window are
    // close together.
    all.sort_by_key(|one| one.end);
    let windows: Vec<usize> = all
        .chunk_by(|one, next| next.end - one.end < WINDOW / 2)
        .map(<[_]>::len)
        .collect();
    assert!(windows.len() >= 3, "{windows:?}");
    assert!(windows.iter().all(|count| *count <= TIMES), "{windows:?}");
    // The last window may be incomplete.
    let whole = &windows[..windows.len() - 1];
    assert!(whole.iter().all(|count| *count == TIMES), "{windows:?}");
}

#[test]
fn other_algorithms_exceed_by_at_most_the_leases() {
    for (limit, alone) in [
        ("sliding_window/600/1000/0", TIMES),
        // Two windows, one of them weighted; or a full bucket and what it gains.
        ("sliding_window_counter/600/1000/0", 2 * TIMES),
        ("token_bucket/600/1000/600", 2 * TIMES),
        ("interval/600/1000/600", 2 * TIMES),
    ] {
        let all = load_clients(limit);
        let most = most(&all);
        assert!(most <= alone + PROCESSES * LEASE, "{limit}: {most}");
        assert!(all.len() >= 2 * TIMES, "{limit}: only {}", all.len());
    }
}
