//! Parsers under text that nobody meant: valid text with random edits, and random text. They return
//! a value that holds what they promise, or an error, and never panic. Tokens and the replies of
//! the script have such tests beside their code.

use std::{net::IpAddr, time::Duration};

use actix_throttle::{
    Limit, RateLimiter, StatusSet,
    config::{Config, Format},
};
use actix_web::{http::header::HeaderValue, test::TestRequest};
use proptest::{collection::vec, prelude::*, sample};

/// Text that edits insert: what the formats are made of, and what they are not.
const PIECES: [&str; 32] = [
    "",
    " ",
    "\n",
    "\t",
    "\"",
    "'",
    ",",
    ";",
    ":",
    "=",
    "/",
    "-",
    ".",
    "[",
    "]",
    "{",
    "}",
    "#",
    "0",
    "9",
    "18446744073709551616",
    "1e9",
    "x",
    "per",
    "5xx",
    "for=",
    "%00",
    "\\",
    "\u{0}",
    "\u{202e}",
    "\u{0663}",
    "\u{10ffff}",
];

/// An edit at a place of the text: how many characters go, and what comes.
type Edit = (sample::Index, usize, &'static str);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (
        any::<sample::Index>(),
        0..4_usize,
        sample::select(&PIECES[..]),
    );
    vec(edit, 0..5)
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, removed, inserted) in edits {
        let at = at.index(characters.len() + 1);
        let end = (at + removed).min(characters.len());
        characters.splice(at..end, inserted.chars());
    }
    characters.into_iter().collect()
}

/// Text like one of these: mostly with random edits, sometimes random altogether.
fn like(valid: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (sample::select(valid), edits()).prop_map(|(text, edits)| edited(text, &edits)),
        1 => "[ -~]{0,40}",
        1 => any::<String>(),
    ]
}

/// The value of a header like one of these. It may have bytes that are no UTF-8.
fn header_like(valid: &'static [&'static str]) -> impl Strategy<Value = HeaderValue> {
    let bytes = (
        like(valid),
        vec((any::<sample::Index>(), any::<u8>()), 0..2),
    );
    bytes.prop_filter_map("a header", |(text, odd)| {
        let mut bytes = text.into_bytes();
        for (at, byte) in odd {
            bytes.insert(at.index(bytes.len() + 1), byte);
        }
        HeaderValue::from_bytes(&bytes).ok()
    })
}

const RATES: [&str; 4] = ["100/minute", "5 per 10 seconds", "1000 per day", "1/500 ms"];
const STATUSES: [&str; 3] = ["5xx, 404", "500-599", "4xx,500,503"];
const CONFIGS: [(Format, &str); 2] = [
    (Format::Toml, include_str!("../../examples/rules.toml")),
    (
        Format::Yaml,
        "limits:\n  login: {rate: 5/minute, block: 60s}\nrules:\n  - path: ^/api\n    limits: [login, {times: 5, seconds: 10}]\n",
    ),
];
const FORWARDED: [&str; 3] = [
    "for=192.0.2.60;proto=http;by=203.0.113.43",
    "for=\"[2001:db8:cafe::17]:4711\", for=unknown",
    "for=_hidden, for=10.0.0.2",
];
const ADDRESSES: [&str; 3] = [
    "192.0.2.60",
    "2001:db8::1, 10.0.0.7",
    "192.0.2.60:80, 10.0.0.7",
];

fn limiter() -> RateLimiter {
    let builder = RateLimiter::builder()
        .memory()
        .trusted_proxies(["10.0.0.0/8"]);
    let built = builder.expect("networks").build();
    futures_util::FutureExt::now_or_never(built)
        .expect("no I/O")
        .expect("a limiter")
}

/// The longest window of a limit.
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Numbers out of range are left to `validate`, as with the builder.
    #[test]
    fn rate_is_a_limit_in_range_or_an_error(text in like(&RATES)) {
        match text.parse::<Limit>() {
            Ok(limit) => {
                let is_in_range = limit.times() <= 1_000_000 && limit.window() <= YEAR;
                prop_assert_eq!(limit.validate().is_ok(), is_in_range, "{:?}", limit);
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn status_set_is_written_as_it_is_read(text in like(&STATUSES)) {
        match text.parse::<StatusSet>() {
            Ok(set) => prop_assert_eq!(set.to_string().parse::<StatusSet>().ok(), Some(set)),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn client_address_is_the_peers_or_one_that_a_proxy_wrote(
        forwarded in header_like(&FORWARDED),
        addresses in header_like(&ADDRESSES),
    ) {
        let peer: IpAddr = "10.0.0.1".parse().expect("an address");
        for (name, value) in [("Forwarded", forwarded), ("X-Forwarded-For", addresses)] {
            let request = TestRequest::default()
                .peer_addr((peer, 80).into())
                .insert_header((name, value.clone()))
                .to_http_request();
            let client = limiter().client_address(&request).expect("there is a peer");
            let text = String::from_utf8_lossy(value.as_bytes()).to_lowercase();
            let written = text.contains(&client.to_string()) || client.is_ipv6();
            prop_assert!(client == peer || written, "{client} of {text}");
        }
    }
}

#[test]
fn configs_are_valid_before_they_are_edited() {
    for (format, text) in CONFIGS {
        if let Err(error) = Config::parse(text, format) {
            panic!("{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn config_is_accepted_or_its_errors_have_positions(
        config in sample::select(&CONFIGS[..]),
        edits in edits(),
        random in prop_oneof![6 => Just(None), 1 => any::<String>().prop_map(Some)],
    ) {
        let (format, text) = config;
        let text = random.unwrap_or_else(|| edited(text, &edits));
        if let Err(error) = Config::parse(&text, format) {
            let lines = text.split('\n').count();
            for diagnostic in error.diagnostics() {
                prop_assert!(diagnostic.line() <= lines, "{error}");
            }
        }
    }
}
