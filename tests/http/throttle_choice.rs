//! Property test: the chosen entry is the one that a plain restatement of the order chooses.

use actix_throttle::{HeaderStyle, Limit, Paths, Rule, Throttle};
use actix_web::{http::Method, rt::System};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::throttle::{anything, by_headers};
use harness::http::app::{TestApp, post};

type InPlainWords = fn(&str) -> bool;

/// Regexes, and their meaning in plain code.
const REGEXES: [(&str, InPlainWords); 7] = [
    ("^/", |_| true),
    ("^/towns", |path| path.starts_with("/towns")),
    ("^/forests", |path| path.starts_with("/forests")),
    ("^/towns/[0-9]$", |path| {
        let last = path.strip_prefix("/towns/");
        last.is_some_and(|last| last.len() == 1 && last.as_bytes()[0].is_ascii_digit())
    }),
    ("s/", |path| path.contains("s/")),
    ("7$", |path| path.ends_with('7')),
    ("^$", |path| path.is_empty()),
];
const PATHS: [&str; 7] = [
    "/",
    "/towns",
    "/towns/7",
    "/towns/77",
    "/forests/7",
    "/sea",
    "/sea/towns",
];
const GROUPS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
struct Entry {
    regex: usize,
    posts_only: bool,
    kind: Kind,
    rules: Vec<Written>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Enforced,
    Shadow,
    Exempt,
}

#[derive(Clone, Debug)]
struct Written {
    group: Option<&'static str>,
    unlimited: bool,
    skips_x: bool,
}

#[derive(Clone, Debug)]
struct Sent {
    path: &'static str,
    /// A bit for each character of the path that is percent-encoded.
    escaped: u32,
    post: bool,
    group: Option<&'static str>,
    x: bool,
}

/// The names of the limits that decide.
fn expected(entries: &[Entry], sent: &Sent) -> Vec<String> {
    for (number, entry) in entries.iter().enumerate() {
        if !REGEXES[entry.regex].1(sent.path) || (entry.posts_only && !sent.post) {
            continue;
        }
        match entry.kind {
            Kind::Exempt => return Vec::new(),
            Kind::Shadow => continue,
            Kind::Enforced => {}
        }
        let present = |rule: &&Written| !(rule.skips_x && sent.x);
        let of = |group: Option<&str>| {
            let rules = entry.rules.iter().filter(present);
            rules.filter(|rule| rule.group == group).count() > 0
        };
        let group = if sent.group.is_some() && of(sent.group) {
            sent.group
        } else if of(None) {
            None
        } else {
            continue;
        };
        // A limit's name has its position among the limits of the entry.
        let limits = entry
            .rules
            .iter()
            .filter(|rule| !rule.unlimited)
            .enumerate();
        let applied = limits.filter(|(_, rule)| rule.group == group && present(rule));
        return applied.map(|(index, _)| name(number, index)).collect();
    }
    Vec::new()
}

fn name(entry: usize, index: usize) -> String {
    match index {
        0 => format!("e{entry}"),
        more => format!("e{entry}-{}", more + 1),
    }
}

fn throttle(entries: &[Entry]) -> Throttle {
    let mut throttle = Throttle::new().identifier(by_headers);
    for (number, entry) in entries.iter().enumerate() {
        let mut paths = Paths::regex(REGEXES[entry.regex].0).expect("a regex");
        paths = paths.name(format!("e{number}"));
        if entry.posts_only {
            paths = paths.methods([Method::POST]);
        }
        if entry.kind == Kind::Exempt {
            throttle = throttle.exempt_paths(paths).expect("a valid entry");
            continue;
        }
        if entry.kind == Kind::Shadow {
            paths = paths.shadow();
        }
        let rules = entry.rules.iter().zip(1..).map(|(rule, window)| {
            let window = std::time::Duration::from_secs(window * 60);
            let made = match (rule.unlimited, rule.group) {
                (true, Some(group)) => Rule::unlimited(group),
                (_, Some(group)) => Rule::new(Limit::new(1_000, window)).group(group),
                (_, None) => Rule::new(Limit::new(1_000, window)),
            };
            if rule.skips_x {
                made.skip_if(|request| request.headers().contains_key("X-Skip"))
            } else {
                made
            }
        });
        throttle = throttle.paths(paths, rules).expect("a valid entry");
    }
    throttle
}

/// Rules without errors: one unlimited rule per group, and then no other rule of it.
fn rules() -> impl Strategy<Value = Vec<Written>> {
    let rule = (
        option::of(select(&GROUPS[..])),
        any::<bool>(),
        any::<bool>(),
    );
    vec(rule, 1..4).prop_map(|rules| {
        let mut written: Vec<Written> = Vec::new();
        for (group, unlimited, skips_x) in rules {
            let unlimited = unlimited && group.is_some();
            let mut same = written.iter().filter(|other| other.group == group);
            if same.all(|other| !unlimited && !other.unlimited) {
                written.push(Written {
                    group,
                    unlimited,
                    skips_x,
                });
            }
        }
        written
    })
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let kind = prop_oneof![
        6 => Just(Kind::Enforced),
        1 => Just(Kind::Shadow),
        1 => Just(Kind::Exempt),
    ];
    let entry = (0..REGEXES.len(), any::<bool>(), kind, rules());
    let entry = entry.prop_map(|(regex, posts_only, kind, rules)| {
        // A shadow entry without a limit would be an error.
        let kind = match kind {
            Kind::Shadow if rules.iter().all(|rule| rule.unlimited) => Kind::Enforced,
            kind => kind,
        };
        Entry {
            regex,
            posts_only,
            kind,
            rules,
        }
    });
    // A throttle matches few regexes in another way than many, so both occur.
    vec(entry, 0..10)
}

fn sent() -> impl Strategy<Value = Sent> {
    let group = option::of(select(&GROUPS[..]));
    (
        select(&PATHS[..]),
        any::<u32>(),
        any::<bool>(),
        group,
        any::<bool>(),
    )
        .prop_map(|(path, escaped, post, group, x)| Sent {
            path,
            escaped,
            post,
            group,
            x,
        })
}

/// The path with some characters percent-encoded, but never a slash.
fn spelled(sent: &Sent) -> String {
    let characters = sent.path.bytes().enumerate();
    let spell = |(index, byte): (usize, u8)| match sent.escaped >> index & 1 {
        1 if byte != b'/' => format!("%{byte:02x}"),
        _ => char::from(byte).to_string(),
    };
    characters.map(spell).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn entry_chosen_is_the_first_that_has_something_for_the_group(
        entries in entries(),
        requests in vec(sent(), 1..20),
    ) {
        System::new().block_on(async {
            let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
            let service = test_app.behind(throttle(&entries), anything).await;
            for sent in &requests {
                let mut request = post(&spelled(sent)).insert_header(("X-User", "ann"));
                if !sent.post {
                    request = request.method(Method::GET);
                }
                if let Some(group) = sent.group {
                    request = request.insert_header(("X-Group", group));
                }
                if sent.x {
                    request = request.insert_header(("X-Skip", "1"));
                }
                let answer = service.send(request).await;
                let policies = answer.header("RateLimit-Policy").unwrap_or_default();
                let names: Vec<_> = policies.split('"').skip(1).step_by(2).collect();
                prop_assert_eq!(&names, &expected(&entries, sent), "{:?}", sent);
            }
            Ok(())
        })?;
    }
}
