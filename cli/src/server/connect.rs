//! Connects to what the arguments name, and finds out whether it is a single server, a cluster or a
//! sentinel.

use redis::Value;

use super::{
    address::{Access, Address},
    cluster,
    node::Node,
    sentinel,
};
use crate::{arguments::ServerArguments, error::CliError};

/// All servers that hold keys: one, or the masters of a cluster.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) nodes: Vec<Node>,
}

/// Connects to the servers.
///
/// # Errors
///
/// If the arguments are wrong, or a server cannot be reached. A part of a cluster would give wrong
/// results, so every master must be reached.
pub(crate) fn connect(arguments: &ServerArguments) -> Result<Servers, CliError> {
    if arguments.url.is_empty() {
        return Err(CliError::new(
            "which server? Write `--url redis://127.0.0.1:6379`, or set REDIS_URL",
        ));
    }
    let access = Access::new(arguments)?;
    let addresses: Vec<Address> = arguments
        .url
        .iter()
        .map(|url| Address::of_url(url))
        .collect::<Result<_, _>>()?;
    if let Some(service) = &arguments.sentinel {
        let template = arguments.master_url.as_deref().map(Address::of_url);
        let template = template
            .transpose()
            .map_err(|error| error.while_doing("--master-url"))?;
        let node = sentinel::master(&access, &addresses, service, template.as_ref())?;
        return Ok(Servers { nodes: vec![node] });
    }
    if arguments.master_url.is_some() {
        return Err(CliError::new(
            "`--master-url` is for the master that sentinels name: add `--sentinel NAME`, or leave \
             it out",
        ));
    }
    let (address, mut first) = first_of(&access, &addresses)?;
    let nodes = match mode(&mut first).as_deref() {
        Some("cluster") => cluster::masters(&access, address, &mut first)?,
        Some("sentinel") => {
            let names = sentinel::names(&mut first)?.join("`, `");
            return Err(CliError::new(format!(
                "{} is a sentinel: add `--sentinel NAME`; it knows `{names}`",
                first.name()
            )));
        }
        _ => vec![first],
    };
    Ok(Servers { nodes })
}

/// Connects to the first of several servers that can be reached.
pub(super) fn first_of<'a>(
    access: &Access,
    addresses: &'a [Address],
) -> Result<(&'a Address, Node), CliError> {
    let mut errors = Vec::new();
    for address in addresses {
        match access.open(address) {
            Ok(node) => return Ok((address, node)),
            Err(error) => errors.push(error.to_string()),
        }
    }
    Err(CliError::new(errors.join("; ")))
}

/// The mode of a server by its reply to `HELLO`, to which every user has a right. `None` if it does
/// not tell, as some proxies do not.
fn mode(node: &mut Node) -> Option<String> {
    let reply: Value = node.try_call(&redis::cmd("HELLO")).ok()?;
    let pairs: Vec<(Value, Value)> = match reply {
        Value::Map(pairs) => pairs,
        Value::Array(items) => {
            let mut items = items.into_iter();
            std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
        }
        _ => return None,
    };
    pairs.into_iter().find_map(|(name, value)| {
        let name: String = redis::from_redis_value(name).ok()?;
        (name == "mode").then(|| redis::from_redis_value(value).ok())?
    })
}
