//! Prepares the first round: checks that every case responds as it should, is warm, and has its
//! keys in use.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::{
    Result,
    case::{Answer, Case, PATH},
    redis_server::RedisServers,
    server::Ports,
    wrk,
};

const CONNECTIONS: u32 = 64;
/// Length of one run of wrk, in seconds. There are as many runs as it takes.
const SECONDS: u32 = 2;

pub(crate) fn warm_up(cases: &[&Case], ports: &Ports, servers: &RedisServers) -> Result<()> {
    for case in cases {
        let port = ports.of(case)?;
        eprintln!("warming up: {}, {}", case.group, case.title);
        if case.answer == Answer::Denied {
            expect(case, port, 200)?; // what the limit admits
        }
        let status = match case.answer {
            Answer::Admitted => 200,
            Answer::Denied => 429,
        };
        expect(case, port, status)?;
        every_client(case, port)?;
        if let Some(redis) = case.redis {
            let keys: u32 = redis::cmd("DBSIZE").query(&mut servers.of(redis).connect()?)?;
            if case.keys > 1 && keys < case.keys {
                return Err(format!("{}: only {keys} keys are in use", case.id).into());
            }
        }
    }
    Ok(())
}

/// Sends at least one request for each client.
fn every_client(case: &Case, port: u16) -> Result<()> {
    let mut next = 0;
    while next < u64::from(case.keys) {
        let run = wrk::run(case, port, CONNECTIONS, SECONDS, next)?;
        // Requests in flight at the end of a run are lost; send them again.
        next += run.requests.saturating_sub(CONNECTIONS.into());
    }
    Ok(())
}

/// Checks the exact status of a case once, because wrk only tells good statuses from bad ones.
fn expect(case: &Case, port: u16, status: u16) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "GET {PATH} HTTP/1.1\r\nHost: localhost\r\nX-Client: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with(&format!("HTTP/1.1 {status} ")) {
        Ok(())
    } else {
        Err(format!("{}: expected {status}, got {answer}", case.id).into())
    }
}
