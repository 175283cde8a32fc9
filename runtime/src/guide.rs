//! The guide: one chapter for each topic, each a module without code.
//!
//! # First steps
//!
//! 1. [Identifying clients](identifying_clients): which client a request belongs to.
//! 2. [The attribute](attribute): `#[rate_limit]` on a handler, and the limiter behind it.
//! 3. [Algorithms](algorithms): which one to choose, and what each one guarantees.
//! 4. [Calendar quotas](calendar): so many a day or a month, in any time zone.
//! 5. [Several limits](several_limits): stacked limits, groups, zones, costs, shadow limits.
//! 6. [The middleware](middleware): `Throttle`, for an application, a scope or a resource.
//! 7. [The configuration file](configuration_file): rules and limits from TOML or YAML, reloaded
//!    while the service runs.
//! 8. [Limits by hand](by_hand): check, look up, reset and block from your own code.
//!
//! # More than allow and deny
//!
//! 9. [Waiting](waiting): hold a request until there is room instead of denying it.
//! 10. [Slowing down](slowing_down): delay a client more and more before its limit denies it.
//! 11. [Concurrency limits](concurrency): how many requests may run at once.
//! 12. [Outbound calls](outbound_calls): keep to the limits of the services that you call.
//! 13. [WebSockets](websockets): limits on the messages inside a socket.
//! 14. [Responses and headers](responses_and_headers): what clients are told.
//! 15. [OpenAPI](openapi): denials in the document that utoipa generates.
//! 16. [Refunds](refunds): responses that do not count.
//! 17. [Costs known later](settling): charge an estimate, and correct it.
//! 18. [Blocks](blocks): shut an identity out for a while, and for longer each time.
//! 19. [Enforcement](enforcement): switch all limits to on, count-only or off.
//! 20. [Testing](testing): tests without sleeping, and handlers without their limits.
//! 21. [Time and exactness](time_and_exactness): which clock decides, and how exact limits are.
//!
//! # Operations
//!
//! - [Redis and Valkey](redis): connections, URLs, keys, what happens at the start.
//! - [Cluster, Sentinel, TLS](cluster_sentinel_tls): what they need and what they change.
//! - [When Redis fails](failures): failure modes, the circuit breaker, what an incident costs.
//! - [Watching a limiter](observing): observers, traces, log lines.
//! - [Metrics](metrics): what is counted, a dashboard, alerts.
//! - [The status page](status_page): see how the limits stand; reset and block identities.
//! - [The command line](command_line): check files; show, reset and block counters in Redis.
//! - [Overruling a limiter](overruling): somebody is locked out, an attack, a slow Redis, a limit
//!   that is too tight.
//! - [Resetting and looking up](resetting): one limit or everything, for everyone; all limits of
//!   one identity.
//! - [Permissions on Redis](redis_acl): the commands and keys that limits need.
//! - [Sizing](sizing): memory, connections and time limits.
//! - [The in-memory store](in_memory_store): counting in one process.
//! - [Recipes](recipes): CORS, reverse proxies, health checks, log-in by e-mail.
//! - [Speed](speed): what a limit costs.
//! - [Other limiters](comparison): how they differ.
//!
//! # Migrating
//!
//! - [Coming from another limiter](migrating): a page for each of them.

/// The text of a chapter, in builds without all features: its examples and its links use items of
/// all of them. The module is still there, so that links to it hold.
#[allow(
    unused_macros,
    reason = "the next one replaces it where all features are on"
)]
macro_rules! text {
    ($file:literal) => {
        "A chapter of the guide. Its text is here when the documentation is built with all \
         features, as it is on [docs.rs](https://docs.rs/actix-throttle)."
    };
}

#[cfg(all(
    feature = "awc",
    feature = "cluster",
    feature = "config",
    feature = "jwt",
    feature = "metrics",
    feature = "reqwest",
    feature = "sentinel",
    feature = "session",
    feature = "status-page",
    feature = "test-util",
    feature = "time-zones",
    feature = "tls",
    feature = "utoipa",
    feature = "websocket",
))]
macro_rules! text {
    ($file:literal) => {
        include_str!($file)
    };
}

/// Declares chapters: modules without code, each documented by a Markdown file.
macro_rules! chapters {
    ($($name:ident: $file:literal $({ $($pages:tt)+ })?,)+) => {$(
        #[doc = text!($file)]
        pub mod $name {
            $(chapters! { $($pages)+ })?
        }
    )+};
}

chapters! {
    identifying_clients: "../guide/identifying-clients.md",
    attribute: "../guide/attribute.md",
    algorithms: "../guide/algorithms.md",
    calendar: "../guide/calendar.md",
    several_limits: "../guide/several-limits.md",
    middleware: "../guide/middleware.md",
    configuration_file: "../guide/configuration-file.md",
    by_hand: "../guide/by-hand.md",
    waiting: "../guide/waiting.md",
    slowing_down: "../guide/slowing-down.md",
    concurrency: "../guide/concurrency.md",
    outbound_calls: "../guide/outbound-calls.md",
    websockets: "../guide/websockets.md",
    responses_and_headers: "../guide/responses-and-headers.md",
    openapi: "../guide/openapi.md",
    refunds: "../guide/refunds.md",
    settling: "../guide/settling.md",
    blocks: "../guide/blocks.md",
    enforcement: "../guide/enforcement.md",
    testing: "../guide/testing.md",
    time_and_exactness: "../guide/time-and-exactness.md",
    redis: "../guide/redis.md",
    cluster_sentinel_tls: "../guide/cluster-sentinel-tls.md",
    failures: "../guide/failures.md",
    observing: "../guide/observing.md",
    metrics: "../guide/metrics.md",
    status_page: "../guide/status-page.md",
    command_line: "../guide/command-line.md",
    overruling: "../guide/overruling.md",
    resetting: "../guide/resetting.md",
    redis_acl: "../guide/redis-acl.md",
    sizing: "../guide/sizing.md",
    in_memory_store: "../guide/in-memory-store.md",
    recipes: "../guide/recipes.md",
    speed: "../guide/speed.md",
    comparison: "../guide/comparison.md",
    migrating: "../guide/migrating/index.md" {
        fastapi_limiter: "../guide/migrating/fastapi-limiter.md",
        asgi_ratelimit: "../guide/migrating/asgi-ratelimit.md",
        pylimitx: "../guide/migrating/pylimitx.md",
        slowstack: "../guide/migrating/slowstack.md",
        redis_rate_limiters: "../guide/migrating/redis-rate-limiters.md",
        actix_limitation: "../guide/migrating/actix-limitation.md",
        actix_governor: "../guide/migrating/actix-governor.md",
        actix_extensible_rate_limit: "../guide/migrating/actix-extensible-rate-limit.md",
        actix_trypema: "../guide/migrating/actix-trypema.md",
        actix_web_ratelimit: "../guide/migrating/actix-web-ratelimit.md",
    },
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_chapter_is_in_the_table_of_contents() {
        let source = include_str!("guide.rs");
        let (contents, _) = source.split_once("\n\n").expect("a table of contents");
        let (_, chapters) = source.split_once("\nchapters! {\n").expect("chapters");
        let names = chapters.lines().map_while(|line| {
            // A page of a chapter is further to the right.
            let line = line.strip_prefix("    ")?;
            Some(line.split_once(": \"").map_or("", |(name, _)| name))
        });
        let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
        assert!(names.len() > 30, "{names:?}");
        for name in names.iter().filter(|name| !name.starts_with(' ')) {
            let link = format!("]({name})");
            assert_eq!(contents.matches(&link).count(), 1, "{name}");
        }
        let entries = contents
            .lines()
            .filter_map(|line| line.strip_prefix("//! "));
        let numbers = entries.filter_map(|line| line.split_once(". [")?.0.parse::<usize>().ok());
        assert!((1..).zip(numbers).all(|(one, other)| one == other), "a gap");
    }
}
