//! The one table of all arguments of the attributes and all keys of the configuration file. The
//! reader of the file, its JSON schema and the tests of the documentation go by it.

mod argument;
#[cfg(test)]
mod tests;

use Scope::{
    Concurrency, ConcurrencyLimit, File, Identifier, NamedLimit, Rate, RateLimit, Rule, RuleLimit,
};

pub use self::argument::{Argument, Scope, ValueKind};
use crate::{
    calendar::Period,
    enforcement::Enforcement,
    failure_mode::FailureMode,
    limit::{Algorithm, Refill, range},
    text::word::Word,
};

/// Methods of RFC 9110, and PATCH (RFC 5789).
pub const METHOD_NAMES: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

const COUNT: ValueKind = ValueKind::Count(range::TIMES);
const WINDOW: ValueKind = ValueKind::Micros(range::WINDOW_MICROS);
const EXPIRY_KIND: ValueKind = ValueKind::Micros(range::EXPIRY_MICROS);
const WAIT: ValueKind = ValueKind::Duration(range::MAX_WAIT);
const SLOW_KIND: ValueKind = ValueKind::Duration(range::SLOW);

/// The scopes of what every limit has.
const BOTH: &[Scope] = &[RateLimit, ConcurrencyLimit, Rate, Concurrency];
/// The scopes of an option of every limit.
const OPTION: &[Scope] = &[RateLimit, ConcurrencyLimit, Rate, Concurrency, NamedLimit];

/// Declares the arguments, and the list of all.
macro_rules! arguments {
    ($($name:ident = $argument:expr;)+) => {
        $(pub static $name: Argument = $argument;)+

        /// All arguments, in the order in which lists of valid keys have them.
        pub static ARGUMENTS: &[&Argument] = &[$(&$name),+];
    };
}

arguments! {
    // A rate. Times and window come first.
    RATE = Argument::new("rate", ValueKind::Rate, &[Rate], "\"100/minute\"",
        "Times and window in one: `100/minute`, `5 per 10 seconds`.");
    TIMES = Argument::new("times", COUNT, &[RateLimit, Rate], "10",
        "Admissions per window.").or_in_attributes("required");
    MILLISECONDS = Argument::new("milliseconds", COUNT, &[RateLimit, Rate], "500",
        "The window; lengths of several units are added up.");
    SECONDS = Argument::new("seconds", COUNT, &[RateLimit, Rate], "60",
        "The window, in seconds.");
    MINUTES = Argument::new("minutes", COUNT, &[RateLimit, Rate], "1",
        "The window, in minutes.");
    HOURS = Argument::new("hours", COUNT, &[RateLimit, Rate], "1",
        "The window, in hours.");
    DAYS = Argument::new("days", COUNT, &[RateLimit, Rate], "1",
        "The window, in days.");
    EVERY = Argument::new("every", ValueKind::Word(Period::words), &[RateLimit, Rate], "\"month\"",
        "In place of a window: `times` in each period of the calendar. Weeks begin on Monday.");
    TIME_ZONE = Argument::new("time_zone", ValueKind::Text, &[RateLimit, Rate], "\"Europe/Berlin\"",
        "`every`: the zone whose calendar counts. Zones other than UTC need the feature \
         `time-zones`.").or("\"UTC\"");
    ALGORITHM = Argument::new("algorithm", ValueKind::Word(Algorithm::words), &[RateLimit, Rate],
        "\"token_bucket\"", "How admissions are counted.").or("\"sliding_window\"");
    CAPACITY = Argument::new("capacity", COUNT, &[RateLimit, Rate], "20",
        "`token_bucket`: the burst size.").or("times");
    REFILL = Argument::new("refill", ValueKind::Word(Refill::words), &[RateLimit, Rate],
        "\"interval\"", "`token_bucket`: continuously, or `times` tokens at each window's end.")
        .or("\"greedy\"");
    LEASE = Argument::new("lease", ValueKind::Count(range::LEASE),
        &[RateLimit, Rate], "50", "Lease this many from Redis at once and serve them locally.")
        .or_in_attributes("off");
    BLOCK = Argument::new("block", WINDOW, &[RateLimit, Rate], "\"60s\"",
        "Once exceeded, deny everything for that long: `60s`, `1h 30m`. Of a list, `1m, 10m, 1h`, \
         each further offence takes the next length.").or_in_attributes("off");
    COST = Argument::new("cost", COUNT, &[RateLimit, Rate], "5",
        "Cost of one request.").or("1");
    REFUND_ON = Argument::new("refund_on", ValueKind::StatusSet, &[RateLimit, Rate, NamedLimit],
        "\"5xx\"", "Responses with these statuses are not counted: `5xx, 404`.");

    SETTLE = Argument::new("settle", ValueKind::Flag, &[RateLimit, Rate, NamedLimit], "true",
        "`cost` is an estimate, which the handler corrects by a `PendingCharge`.")
        .or_in_attributes("off");
    SLOW_AFTER = Argument::new("slow_after", COUNT, &[RateLimit, Rate, NamedLimit], "50",
        "Once this much of the limit is used, each further request is delayed by `slow_by` more.")
        .or_in_attributes("off");
    SLOW_BY = Argument::new("slow_by", SLOW_KIND, &[RateLimit, Rate, NamedLimit], "\"200ms\"",
        "With `slow_after`: what each further request adds to the delay, 1 ms to 1 h.");
    SLOW_MAX = Argument::new("slow_max", SLOW_KIND, &[RateLimit, Rate, NamedLimit], "\"5s\"",
        "With `slow_after`: the longest delay, `slow_by` to 1 h.");

    // A concurrency limit.
    MAX = Argument::new("max", ValueKind::Count(range::PERMITS),
        &[ConcurrencyLimit, Concurrency], "5",
        "A concurrency limit, in place of a rate: this many permits. A request holds one until its \
         response's body has been sent.").or_in_attributes("required");
    EXPIRY = Argument::new("expiry", EXPIRY_KIND, &[ConcurrencyLimit, Concurrency], "\"30s\"",
        "With `max`: how long a permit lasts without renewal, 100 ms to 24 h.").or("\"30s\"");

    // Either kind of limit.
    NAME = Argument::new("name", ValueKind::Text, BOTH, "\"burst\"",
        "The policy's name in headers, metrics and logs.").or_in_attributes("the handler's name");
    ZONE = Argument::new("zone", ValueKind::Text, BOTH, "\"login\"",
        "Limits of one zone share a counter.");
    SHADOW = Argument::new("shadow", ValueKind::Flag, BOTH, "true",
        "Count and report, never deny.").or_in_attributes("off");
    FAILURE_MODE = Argument::new("failure_mode", ValueKind::Word(FailureMode::words), OPTION,
        "\"closed\"",
        "What happens to requests that the store cannot decide.").or("the limiter's");
    MAX_WAIT = Argument::new("max_wait", WAIT,
        &[RateLimit, ConcurrencyLimit, Rate, Concurrency, NamedLimit, Rule], "\"500ms\"",
        "Longest time that a request waits for room, instead of being denied: `500ms`, 1 ms to \
         24 h. In a rule: for limits without one of their own.").or_in_attributes("off");

    // A limit for some of the identities.
    LIMIT = Argument::new("limit", ValueKind::LimitName, &[RateLimit, RuleLimit], "\"login\"",
        "The name of a limit, in place of numbers.");
    GROUP = Argument::new("group", ValueKind::Text, &[RateLimit, ConcurrencyLimit, RuleLimit],
        "\"pro\"", "Applies to identities of this group, in place of the limits without one.");
    UNLIMITED = Argument::new("unlimited", ValueKind::Flag,
        &[RateLimit, ConcurrencyLimit, RuleLimit], "true", "That group is not limited.")
        .or_in_attributes("off");
    IDENTIFIER = Argument::new("identifier", ValueKind::Identifier,
        &[RateLimit, ConcurrencyLimit, RuleLimit, Rule], "\"header:X-Api-Key\"",
        "What a limit counts by: `ip`, `global`, `header:X-Api-Key`, `cookie:sid`, `query:tenant`, \
         or a name that the application has given to a function; a list of several is a combination. \
         In a rule: for limits without one of their own.").or("the limiter's");
    HEADER = Argument::new("header", ValueKind::Text, &[Identifier], "\"name\"",
        "The value of this header.");
    COOKIE = Argument::new("cookie", ValueKind::Text, &[Identifier], "\"name\"",
        "The value of this cookie.");
    QUERY = Argument::new("query", ValueKind::Text, &[Identifier], "\"name\"",
        "The value of this query parameter.");

    // The attributes alone.
    SKIP_IF = Argument::new("skip_if", ValueKind::Path, &[RateLimit, ConcurrencyLimit],
        "is_internal", "A function: such requests are neither counted nor limited.");
    DYNAMIC = Argument::new("dynamic", ValueKind::Path, &[RateLimit], "by_plan",
        "A function: the limit of this identity, such as by its plan.");
    ON_LIMITED = Argument::new("on_limited", ValueKind::Path, &[RateLimit, ConcurrencyLimit],
        "too_many", "A function: the response to a denied request.")
        .or_in_attributes("the limiter's");
    CRATE = Argument::new("crate", ValueKind::Path, &[RateLimit, ConcurrencyLimit],
        "my_company::actix_throttle",
        "The path of this crate, if it is renamed or re-exported.")
        .or_in_attributes("::actix_throttle");

    // A rule of the file.
    PATH = Argument::new("path", ValueKind::Text, &[Rule], "\"^/api\"",
        "A regex over the path. Neither this nor `pattern`: all requests.");
    PATTERN = Argument::new("pattern", ValueKind::Text, &[Rule], r"'^/user/\{id\}$'",
        r"A regex over the pattern of the route: `^/user/\{id\}$`.");
    METHODS = Argument::new("methods", ValueKind::Words(&METHOD_NAMES), &[Rule], "[\"GET\"]",
        "The methods of its requests.").or("all");
    NETWORKS = Argument::new("networks", ValueKind::Networks, &[Rule], "[\"10.0.0.0/8\"]",
        "The networks or addresses of its clients.").or("all");
    RULE_NAME = Argument::new("name", ValueKind::Text, &[Rule], "\"towns\"",
        "Name of its limits, under which they count.").or("the methods and the regex");
    RULE_SHADOW = Argument::new("shadow", ValueKind::Flag, &[Rule], "true",
        "Count and report, never deny; the search for the rule that decides goes on.");
    RULE_EXEMPT = Argument::new("exempt", ValueKind::Flag, &[Rule], "true",
        "Its requests are not limited.");
    RULE_LIMITS = Argument::new("limits", ValueKind::RuleLimits, &[Rule], "[\"100/minute\"]",
        "All of them must have room, in one decision.");

    // The file.
    LIMITS = Argument::new("limits", ValueKind::Limits, &[File], "login = \"5/minute\"",
        "Limits by name, for rules and for handlers (`#[rate_limit(limit = \"login\")]`). Rules that \
         name a limit share its counter. A handler counts in its own zone, unless the limit has one.");
    RULES = Argument::new("rules", ValueKind::Rules, &[File],
        "[{ path = \"^/api\", limits = [\"100/minute\"] }]",
        "The first rule that matches a request and has a limit for its group decides. Without \
         rules, write `rules = []`: a file with neither rules nor limits counts as one that was \
         cut off.");
    EXEMPT = Argument::new("exempt", ValueKind::Texts, &[File], "[\"/api/search\"]",
        "Patterns of exempt routes, as they were registered: `/user/{id}`.");
    SKIP_PREFLIGHT = Argument::new("skip_preflight", ValueKind::Flag, &[File], "true",
        "Leave CORS preflights alone.");
    ENFORCEMENT = Argument::new("enforcement", ValueKind::Word(Enforcement::words), &[File],
        "\"shadow\"",
        "What all limits do: `on`; `shadow`, count and report, never deny; or `off`, neither count nor \
         limit. If the code sets a weaker mode, that applies.").or("\"on\"");
    ALLOW = Argument::new("allow", ValueKind::Networks, &[File], "[\"10.0.0.0/8\"]",
        "Networks or addresses whose requests are neither counted nor limited. Where `allow` and \
         `deny` overlap, the longer prefix decides.");
    DENY = Argument::new("deny", ValueKind::Networks, &[File], "[\"203.0.113.0/24\"]",
        "Networks or addresses whose requests get 403.");
    TRUSTED_PROXIES = Argument::new("trusted_proxies", ValueKind::Networks, &[File],
        "[\"10.0.0.0/8\", \"unix\"]",
        "Proxies whose reports of the client's address are believed: networks, addresses, or `unix` \
         for those that connect over a Unix socket.");
    CLIENT_IP_HEADER = Argument::new("client_ip_header", ValueKind::Text, &[File],
        "\"CF-Connecting-IP\"",
        "The header in which trusted proxies report the client's address, in place of `Forwarded` \
         and `X-Forwarded-For`.");
}
