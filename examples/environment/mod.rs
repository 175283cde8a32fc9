//! Settings from the environment, which several examples share.

use std::{env, fmt::Display, io, str::FromStr, time::Duration};

use actix_throttle::{
    Builder, Enforcement, HeaderStyle, RateLimiter,
    deadpool_redis::{
        Runtime, cluster,
        sentinel::{self, SentinelServerType},
    },
};

/// Returns a limiter's builder with the store and the settings from the environment.
pub(crate) fn limiter() -> io::Result<Builder> {
    let mut limiter = with_store()?.headers(headers()?);
    if let Some(prefix) = text("PREFIX") {
        limiter = limiter.prefix(prefix);
    }
    if let Some(threshold) = number("FAILURE_THRESHOLD")? {
        limiter = limiter.failure_threshold(threshold);
    }
    if let Some(recovery) = millis("RECOVERY_MS")? {
        limiter = limiter.recovery_timeout(recovery);
    }
    if let Some(deadline) = millis("DEADLINE_MS")? {
        limiter = limiter.deadline(deadline);
    }
    if let Some(enforcement) = enforcement()? {
        limiter = limiter.enforcement(enforcement);
    }
    if let Some(name) = text("CLIENT_IP_HEADER") {
        limiter = limiter.client_ip_header(name);
    }
    let limiter = limiter.trusted_proxies(networks("TRUSTED_PROXIES"))?;
    Ok(limiter.allow(networks("ALLOW"))?.deny(networks("DENY"))?)
}

/// Returns a numeric variable, or `None` if it is not set.
pub(crate) fn number<T>(name: &str) -> io::Result<Option<T>>
where
    T: FromStr<Err: Display>,
{
    let number = text(name).map(|text| text.parse()).transpose();
    number.map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn with_store() -> io::Result<Builder> {
    let limiter = RateLimiter::builder();
    let one = text("REDIS_URL");
    let cluster = text("REDIS_CLUSTER_URLS");
    let sentinels = text("REDIS_SENTINEL_URLS");
    match (one, cluster, sentinels) {
        (None, None, None) => Ok(limiter.memory()),
        (Some(url), None, None) => Ok(limiter.redis_url(url)),
        (None, Some(urls), None) => Ok(limiter.redis(cluster_pool(&urls)?)),
        (None, None, Some(urls)) => Ok(limiter.redis(sentinel_pool(&urls)?)),
        _ => Err(io::Error::other(
            "of REDIS_URL, REDIS_CLUSTER_URLS and REDIS_SENTINEL_URLS set one",
        )),
    }
}

/// Returns a pool for a cluster. Some of its nodes are enough: they know the other nodes.
fn cluster_pool(urls: &str) -> io::Result<cluster::Pool> {
    cluster::Config::from_urls(list(urls))
        .create_pool(Some(Runtime::Tokio1))
        .map_err(io::Error::other)
}

/// Returns a pool for the primary that the sentinels name.
fn sentinel_pool(urls: &str) -> io::Result<sentinel::Pool> {
    let service = text("REDIS_SENTINEL_SERVICE").unwrap_or_else(|| "mymaster".to_owned());
    sentinel::Config::from_urls(list(urls), service, SentinelServerType::Master)
        .create_pool(Some(Runtime::Tokio1))
        .map_err(io::Error::other)
}

fn headers() -> io::Result<HeaderStyle> {
    match text("HEADERS").as_deref() {
        None | Some("x") => Ok(HeaderStyle::XRateLimit),
        Some("ietf") => Ok(HeaderStyle::Ietf),
        Some("both") => Ok(HeaderStyle::Both),
        Some(other) => Err(io::Error::other(format!(
            "HEADERS={other}: x, ietf or both"
        ))),
    }
}

fn enforcement() -> io::Result<Option<Enforcement>> {
    match text("ENFORCEMENT").as_deref() {
        None => Ok(None),
        Some("on") => Ok(Some(Enforcement::On)),
        Some("shadow") => Ok(Some(Enforcement::Shadow)),
        Some("off") => Ok(Some(Enforcement::Off)),
        Some(other) => Err(io::Error::other(format!(
            "ENFORCEMENT={other}: on, shadow or off"
        ))),
    }
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn millis(name: &str) -> io::Result<Option<Duration>> {
    Ok(number(name)?.map(Duration::from_millis))
}

/// Returns a list of networks; it is empty if the variable is not set or empty.
fn networks(name: &str) -> Vec<String> {
    let mut networks = list(&text(name).unwrap_or_default());
    networks.retain(|network| !network.is_empty());
    networks
}

/// Splits a list at its commas.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).collect()
}
