//! The cases to measure.

/// The number of clients.
pub(crate) const MANY: u32 = 100_000;
pub(crate) const THOUSAND: u32 = 1_000;
pub(crate) const MILLION: u32 = 1_000_000;

/// The path of every request: paths of different lengths would take different times to parse.
pub(crate) const PATH: &str = "/limited";

/// Connections that wrk keeps open.
pub(crate) const CONNECTIONS: [u32; 3] = [1, 64, 256];

#[derive(Debug)]
pub(crate) struct Case {
    /// The case's name in `raw.json`.
    pub(crate) id: &'static str,
    pub(crate) group: &'static str,
    pub(crate) title: &'static str,
    /// The handler that serves the case, as one path among all handlers. Requests do not show it:
    /// each service has a port of its own and the same [`PATH`].
    pub(crate) service: &'static str,
    /// How many clients take turns. With 1, no header names the client, and all requests have one
    /// address.
    pub(crate) keys: u32,
    pub(crate) answer: Answer,
    /// The Redis server that counts, if one does.
    pub(crate) redis: Option<Redis>,
}

/// The status that every response must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Admitted,
    Denied,
}

/// One server for each number of active keys: keys of other cases would make it slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redis {
    Main,
    Thousand,
    Million,
    /// Valkey 9, for actix-trypema: it needs commands that Redis 7.0 does not have.
    Valkey,
}

pub(crate) const BARE: &str = "bare";
pub(crate) const BARE_MANY: &str = "bare-many";

pub(crate) const BASE: &str = "No limit";
const IN_MEMORY: &str = "actix-throttle, in memory";
const REDIS: &str = "actix-throttle, Redis";
pub(crate) const PEERS_IN_MEMORY: &str = "Peers, in memory";
pub(crate) const PEERS_REDIS: &str = "Peers, Redis";

/// All cases, in the order of the report.
#[rustfmt::skip] // A table.
pub(crate) const CASES: &[Case] = &[
    case(BARE, BASE, "bare handler", "bare", 1),
    case(BARE_MANY, BASE, "bare handler, 100,000 clients", "bare", MANY),

    case("memory-one", IN_MEMORY, "one key, token bucket", "memory/bucket/one", 1),
    case("memory-many", IN_MEMORY, "100,000 keys, token bucket", "memory/bucket/many", MANY),
    case("memory-one-log", IN_MEMORY, "one key, sliding window (default)", "memory/log/one", 1),
    case("memory-plain", IN_MEMORY, "one key, token bucket, no headers", "memory-plain/bucket/one", 1),
    case("memory-thousand", IN_MEMORY, "1,000 active keys, fixed window", "memory-thousand/window/many", THOUSAND),
    case("memory-million", IN_MEMORY, "1,000,000 active keys, fixed window", "memory-million/window/many", MILLION),

    case("redis-one", REDIS, "one key, fixed window", "redis/window/one", 1).on(Redis::Main),
    case("redis-many", REDIS, "100,000 keys, fixed window", "redis/window/many", MANY).on(Redis::Main),
    case("redis-one-log", REDIS, "one key, sliding window (default)", "redis/log/one", 1).on(Redis::Main),
    case("redis-many-log", REDIS, "100,000 keys, sliding window (default)", "redis/log/many", MANY).on(Redis::Main),
    case("redis-many-counter", REDIS, "100,000 keys, sliding window counter", "redis/counter/many", MANY).on(Redis::Main),
    case("redis-many-bucket", REDIS, "100,000 keys, token bucket", "redis/bucket/many", MANY).on(Redis::Main),
    case("redis-many-leaky", REDIS, "100,000 keys, leaky bucket", "redis/leaky/many", MANY).on(Redis::Main),
    case("redis-stacked", REDIS, "one key, five stacked fixed windows", "redis/stacked", 1).on(Redis::Main),
    case(LEASED, REDIS, "one key, fixed window, leased by 1,000", "redis/leased", 1).on(Redis::Main),
    case(DENIED, REDIS, "all denied", "redis/denied", 1).on(Redis::Main).denied(),
    case("redis-thousand", REDIS, "1,000 active keys, fixed window", "redis-thousand/window/many", THOUSAND).on(Redis::Thousand),
    case("redis-million", REDIS, "1,000,000 active keys, fixed window", "redis-million/window/many", MILLION).on(Redis::Million),
    case("valkey-one", REDIS, "one key, fixed window, Valkey 9", "valkey/window/one", 1).on(Redis::Valkey),
    case("valkey-many", REDIS, "100,000 keys, fixed window, Valkey 9", "valkey/window/many", MANY).on(Redis::Valkey),

    case("governor-one", PEERS_IN_MEMORY, "actix-governor, one key", "governor/one", 1),
    case("governor-many", PEERS_IN_MEMORY, "actix-governor, 100,000 keys", "governor/many", MANY),
    case("governor-plain", PEERS_IN_MEMORY, "actix-governor, one key, no headers", "governor-plain/one", 1),
    case("extensible-memory-one", PEERS_IN_MEMORY, "actix-extensible-rate-limit, one key", "extensible-memory/one", 1),
    case("trypema-local", PEERS_IN_MEMORY, "actix-trypema, local, one key", "trypema-local/one", 1),
    case("trypema-plain", PEERS_IN_MEMORY, "actix-trypema, local, one key, no headers", "trypema-plain/one", 1),

    case("extensible-one", PEERS_REDIS, "actix-extensible-rate-limit, one key", "extensible/one", 1).on(Redis::Main),
    case("extensible-many", PEERS_REDIS, "actix-extensible-rate-limit, 100,000 keys", "extensible/many", MANY).on(Redis::Main),
    case("limitation-one", PEERS_REDIS, "actix-limitation, one key", "limitation/one", 1).on(Redis::Main),
    case("trypema-redis-one", PEERS_REDIS, "actix-trypema, one key, Valkey 9", "trypema-redis/one", 1).on(Redis::Valkey),
    case("trypema-redis-many", PEERS_REDIS, "actix-trypema, 100,000 keys, Valkey 9", "trypema-redis/many", MANY).on(Redis::Valkey),
    case("trypema-hybrid", PEERS_REDIS, "actix-trypema, hybrid, one key, Valkey 9", "trypema-hybrid/one", 1).on(Redis::Valkey),
];

pub(crate) const DENIED: &str = "redis-denied";
pub(crate) const LEASED: &str = "redis-leased";

const fn case(
    id: &'static str,
    group: &'static str,
    title: &'static str,
    service: &'static str,
    keys: u32,
) -> Case {
    Case {
        id,
        group,
        title,
        service,
        keys,
        answer: Answer::Admitted,
        redis: None,
    }
}

impl Case {
    const fn on(mut self, redis: Redis) -> Self {
        self.redis = Some(redis);
        self
    }

    const fn denied(mut self) -> Self {
        self.answer = Answer::Denied;
        self
    }

    /// Returns the bare handler under the same requests.
    pub(crate) const fn base(&self) -> &'static str {
        if self.keys == 1 { BARE } else { BARE_MANY }
    }
}
