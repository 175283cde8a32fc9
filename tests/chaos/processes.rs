//! Several processes under full load while their Redis is killed and restarted.

use std::{thread::sleep, time::Duration};

use harness::{Process, Server, ServerVersion, stores::unique};

const PROCESSES: usize = 3;
const TIMES: usize = 2000;
const UP: Duration = Duration::from_millis(2000);
/// Longer than a denial stays in the cache, so each process asks Redis meanwhile.
const DOWN: Duration = Duration::from_millis(1_300);
/// In milliseconds. No request waits for a dead server, so this is what a busy machine adds.
const LONGEST: u64 = 2000;

struct Said {
    admitted: usize,
    alone: usize,
    longest: u64,
}

fn said(process: Process) -> Said {
    let text = process.finish(Duration::from_secs(60));
    let words: Vec<_> = text.split_whitespace().collect();
    Said {
        admitted: words[0].parse().unwrap(),
        alone: words[1].parse().unwrap(),
        longest: words[2].parse().unwrap(),
    }
}

fn load_clients(mode: &str) -> Vec<Said> {
    let mut server = Server::start(ServerVersion::Redis7);
    let (url, prefix) = (server.url(), unique("load"));
    let millis = (UP * 2 + DOWN).as_millis().to_string();
    let limits = format!("sliding_window/{TIMES}/3600000/0");
    let environment = [
        ("REDIS_URL", url.as_str()),
        ("PREFIX", &prefix),
        ("MILLIS", &millis),
        ("LIMITS", &limits),
        ("FAILURE_MODE", mode),
    ];
    let processes = Process::start_copies(
        PROCESSES,
        env!("CARGO_BIN_EXE_chaos_load_client"),
        &environment,
    );
    sleep(UP);
    server.kill();
    sleep(DOWN);
    server.restart();
    let said: Vec<_> = processes.into_iter().map(said).collect();
    for one in &said {
        // Each process decided locally, and no request waited longer than needed.
        assert!(one.alone > 0 && one.longest < LONGEST, "{}", one.longest);
    }
    said
}

/// Exactly one quota before the outage, and one after it by a server without its counters.
#[test]
fn processes_stay_exact_when_server_is_killed_under_load() {
    let admitted = |said: &[Said]| said.iter().map(|one| one.admitted).sum::<usize>();
    assert_eq!(admitted(&load_clients("open")), 2 * TIMES);
}

/// Each process with the local fallback admits at most one quota during the outage, whatever the
/// other processes admit.
#[test]
fn killed_under_full_load_each_lets_in_a_quota_at_most() {
    let said = load_clients("local");
    let admitted: usize = said.iter().map(|one| one.admitted).sum();
    assert!(admitted >= TIMES, "{admitted}");
    assert!(admitted <= (PROCESSES + 1) * TIMES, "{admitted}");
}
