//! Writes `results/README.md` and `results/throughput.svg`.

mod chart;
mod tables;
mod targets;

use std::{fs, path::Path};

use crate::{Result, results::Results};

pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    chart::draw(results, &folder.join("throughput.svg"))?;
    let text = text(results);
    fs::write(folder.join("README.md"), &text)?;
    println!("{text}");
    Ok(())
}

fn text(results: &Results) -> String {
    [
        tables::head(results),
        "## Targets\n".to_owned(),
        "Ratios are the medians of the rounds' ratios.\n".to_owned(),
        targets::table(results),
        "## Throughput\n".to_owned(),
        "Requests a second, and in brackets the ratio to the bare handler under the same requests.\n".to_owned(),
        "![Requests a second](throughput.svg)\n".to_owned(),
        tables::throughput(results),
        "## Latency\n".to_owned(),
        "Medians of wrk's 50 % at one connection.\n".to_owned(),
        tables::latency(results),
        "## Work\n".to_owned(),
        "Processor time at 64 connections, of the HTTP server and of Redis: less at the mercy of what else runs than throughput. \
         A call is an `EVALSHA`, of the peers an `EXEC`, whose time leaves out that of reading and queueing its commands. Commands \
         include those within scripts and transactions.\n"
            .to_owned(),
        tables::work(results),
        "## Redis by batch size\n".to_owned(),
        "Processor time of Redis for one decision, by the number of checks of distinct keys that a thread makes at once. An idle \
         server is woken for each of one thread's batches; a busy one serves eight threads, each with a connection. The limit is \
         a fixed window, and the keys are in use.\n"
            .to_owned(),
        tables::batches(results),
        "## Memory\n".to_owned(),
        tables::memory(results),
    ]
    .join("\n")
}
