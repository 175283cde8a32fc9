//! The master that sentinels name. They are asked with the commands that the library needs, so one
//! user can do both.

use std::collections::HashMap;

use redis::Value;

use super::{
    address::{Access, Address},
    node::Node,
};
use crate::error::CliError;

/// Connects to the master of this name. The `template` has what is needed to log in there.
///
/// # Errors
///
/// If no sentinel knows the name, or none leads to a master.
pub(super) fn master(
    access: &Access,
    sentinels: &[Address],
    service: &str,
    template: Option<&Address>,
) -> Result<Node, CliError> {
    let plain = Address::of_url("redis://sentinel")?;
    let template = template.unwrap_or(&plain);
    let mut errors = Vec::new();
    for sentinel in sentinels {
        match by_sentinel(access, sentinel, service, template) {
            Ok(node) => return Ok(node),
            Err(error) => errors.push(error.to_string()),
        }
    }
    Err(CliError::new(errors.join("; ")))
}

fn by_sentinel(
    access: &Access,
    sentinel: &Address,
    service: &str,
    template: &Address,
) -> Result<Node, CliError> {
    let mut sentinel = access.open(sentinel)?;
    let (host, port) = address_of(&mut sentinel, service)?;
    let mut node = access.open(&template.at(&host, port))?;
    // A sentinel may not have noticed a failover yet.
    let role: Value = node.call(&redis::cmd("ROLE"))?;
    let role = match role {
        Value::Array(parts) => parts.into_iter().next().unwrap_or_default(),
        other => other,
    };
    match redis::from_redis_value::<String>(role).as_deref() {
        Ok("master") => Ok(node),
        _ => Err(CliError::new(format!(
            "{} is no master any more; try again when the failover is over",
            node.name()
        ))),
    }
}

/// The address of a master. During a failover, this command knows the new one before
/// `SENTINEL MASTERS` does, but a user that only has what the library needs may not send it.
fn address_of(sentinel: &mut Node, service: &str) -> Result<(String, u16), CliError> {
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
    if let Ok(Some(address)) = sentinel.try_call::<Option<(String, u16)>>(&command) {
        return Ok(address);
    }
    let masters = masters(sentinel)?;
    let named = masters.iter().find(|master| is_named(master, service));
    let address = named.and_then(|master| {
        let port = master.get("port")?.parse().ok()?;
        Some((master.get("ip")?.clone(), port))
    });
    address.ok_or_else(|| {
        let names = names_of(&masters).join("`, `");
        let sentinel = sentinel.name();
        CliError::new(format!(
            "{sentinel} knows no master `{service}`; it knows `{names}`"
        ))
    })
}

/// The names of all masters that this sentinel watches.
pub(super) fn names(sentinel: &mut Node) -> Result<Vec<String>, CliError> {
    Ok(names_of(&masters(sentinel)?))
}

fn masters(sentinel: &mut Node) -> Result<Vec<HashMap<String, String>>, CliError> {
    let mut command = redis::cmd("SENTINEL");
    command.arg("MASTERS");
    sentinel.call(&command)
}

fn is_named(master: &HashMap<String, String>, service: &str) -> bool {
    master.get("name").is_some_and(|name| name == service)
}

fn names_of(masters: &[HashMap<String, String>]) -> Vec<String> {
    let names = masters.iter().filter_map(|master| master.get("name"));
    names.cloned().collect()
}
