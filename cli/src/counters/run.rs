//! Carries out an action, once or again and again.

use std::thread;

use super::{block, delete, delete_all, list, scan::Scan, show, top};
use crate::{
    arguments::{Action, RedisArguments, ServerArguments, Watch},
    error::{Answer, CliError},
    output::{Progress, clear_screen},
    server::{Servers, connect},
};

/// Carries out an action of `throttle redis`.
///
/// # Errors
///
/// If the server cannot be reached, or does not do what it should.
pub(crate) fn run(arguments: &RedisArguments, is_json: bool) -> Result<Answer, CliError> {
    let server = &arguments.server;
    let once = |zones: &[String], act: &dyn Fn(&mut Scan<'_>) -> Result<Answer, CliError>| {
        let mut servers = connect(server)?;
        act(&mut Scan {
            servers: &mut servers,
            arguments: server,
            progress: &Progress::new(),
            zones,
        })
    };
    match &arguments.action {
        Action::List {
            listed,
            blocks,
            limit,
        } => {
            let selection = list::Selection {
                blocks_only: *blocks,
                limit: *limit,
            };
            repeat(server, &listed.zone, listed.watch, |scan| {
                list::list(scan, selection, is_json)
            })
        }
        Action::Show { id, listed } => repeat(server, &listed.zone, listed.watch, |scan| {
            show::show(scan, id, is_json)
        }),
        Action::Top { listed, limit } => repeat(server, &listed.zone, listed.watch, |scan| {
            top::top(scan, *limit, is_json)
        }),
        Action::Reset {
            id,
            zone,
            permits,
            yes,
            all,
        } => once(zone, &|scan| match id.as_ref().filter(|_| !all) {
            Some(id) => {
                let selection = delete::Selection::Reset { permits: *permits };
                delete::delete(scan, id, selection, *yes, is_json)
            }
            None => delete_all::delete_all(scan, *permits, *yes, is_json),
        }),
        Action::Unblock { target, yes } => once(&target.zone, &|scan| {
            let selection = delete::Selection::Blocks;
            delete::delete(scan, &target.id, selection, *yes, is_json)
        }),
        Action::Block(arguments) => once(&[], &|scan| block::block(scan, arguments, is_json)),
    }
}

/// Shows a view, and again after each pause until the process is ended. A server that is lost in
/// between is connected to again.
fn repeat(
    arguments: &ServerArguments,
    zones: &[String],
    watch: Watch,
    mut view: impl FnMut(&mut Scan<'_>) -> Result<Answer, CliError>,
) -> Result<Answer, CliError> {
    let mut show = |servers: &mut Servers, progress: &Progress| {
        view(&mut Scan {
            servers,
            arguments,
            progress,
            zones,
        })
    };
    let mut servers = connect(arguments)?;
    let Some(pause) = watch.pause else {
        return show(&mut servers, &Progress::new());
    };
    loop {
        clear_screen()?;
        if let Err(error) = show(&mut servers, &Progress::hidden()) {
            if error.has_no_reader() {
                return Err(error);
            }
            eprintln!("error: {error}");
            // The next round shows whether the new connection works.
            if let Ok(again) = connect(arguments) {
                servers = again;
            }
        }
        thread::sleep(pause);
    }
}
