//! Errors in entries, reported when the entry is added.

use std::time::Duration;

use actix_throttle::{Algorithm, Identifier, InitError, Limit, Paths, Rule, Throttle};
use actix_web::http::Method;

const LIMIT: Limit = Limit::per_minute(5);

fn rejected<T>(result: Result<T, InitError>) -> String {
    let error = result.err().expect("an error");
    assert!(error.is_settings(), "{error}");
    error.to_string()
}

fn error_of(rules: impl IntoIterator<Item = Rule>) -> String {
    let message = rejected(Throttle::new().paths("^/towns", rules));
    assert!(message.contains("`^/towns`"), "names its entry: {message}");
    message
}

#[test]
fn text_that_is_no_regex() {
    for message in [
        rejected(Throttle::new().paths("^/towns(", [Rule::new(LIMIT)])),
        rejected(Throttle::new().exempt_paths("^/towns(")),
        rejected(Paths::pattern("^/towns(")),
    ] {
        assert!(message.contains("`^/towns(` is not a regex"), "{message}");
        assert!(message.contains("unclosed group"), "{message}");
    }
    let monstrous = rejected(Paths::regex(r"\w{2000}{2000}"));
    assert!(monstrous.contains("is not a regex"), "{monstrous}");
}

#[test]
fn entry_without_a_rule() {
    assert!(error_of([]).contains("exempt_paths"));
}

#[test]
fn limits_that_are_invalid() {
    let of = |limit: Limit| error_of([Rule::new(limit)]);
    assert!(of(Limit::per_minute(0)).contains("`times` must be from 1"));
    assert!(of(Limit::new(1, Duration::ZERO)).contains("the window must be"));
    assert!(of(LIMIT.capacity(9)).contains("belong to `token_bucket`"));
    assert!(of(LIMIT.zone("")).contains("zone must not be empty"));
    assert!(of(LIMIT.cost(6)).contains("`cost` is more than this limit can ever hold"));
    assert!(of(LIMIT.cost(6).name("heavy")).contains("the limit `heavy`"));
    let second = error_of([Rule::new(LIMIT), Rule::new(Limit::per_hour(0))]);
    assert!(second.contains("the limit `^/towns-2`"), "{second}");
    assert!(rejected(Throttle::per_client(Limit::per_minute(0))).contains("`times`"));
    // The cost of a bucket may equal its capacity.
    let bucket = LIMIT.algorithm(Algorithm::TokenBucket).capacity(9).cost(9);
    assert!(Throttle::per_client(bucket).is_ok());
}

#[test]
fn rules_that_would_share_a_counter() {
    let shared = "would share its counter";
    assert!(error_of([Rule::new(LIMIT), Rule::new(Limit::per_minute(9))]).contains(shared));
    let key = || Identifier::header("X-Api-Key");
    let two = [
        Rule::new(LIMIT).identifier(key()),
        Rule::new(LIMIT).identifier(key()),
    ];
    assert!(error_of(two).contains(shared));
    let pro = || Rule::new(LIMIT).group("pro");
    assert!(error_of([Rule::new(LIMIT), pro(), pro()]).contains(shared));
}

#[test]
fn rules_that_count_apart_are_fine() {
    let rules = [
        Rule::new(LIMIT),
        Rule::new(LIMIT).group("pro"),
        Rule::new(LIMIT.zone("other")),
        Rule::new(LIMIT.algorithm(Algorithm::FixedWindow)),
        Rule::new(LIMIT).identifier(Identifier::header("X-Api-Key")),
        Rule::new(LIMIT.shadow()),
        Rule::new(LIMIT.zone("tried")),
        Rule::new(LIMIT.zone("tried")).shadow(),
        Rule::new(Limit::per_hour(5)),
        Rule::unlimited("admin"),
    ];
    assert!(Throttle::new().paths("^/towns", rules).is_ok());
}

#[test]
fn rules_without_effect() {
    let admin = || Rule::unlimited("admin");
    assert!(error_of([admin(), admin()]).contains("`admin` is unlimited twice"));
    let both = error_of([Rule::new(LIMIT).group("admin"), admin()]);
    assert!(both.contains("both unlimited and limited"), "{both}");
    let nobody =
        rejected(Throttle::new().paths(Paths::regex("^/").expect("a regex").shadow(), [admin()]));
    assert!(nobody.contains("counts nothing"), "{nobody}");
    // An enforced entry may consist of an unlimited rule: it ends the search for its group.
    assert!(Throttle::new().paths("^/", [admin()]).is_ok());
}

#[test]
fn identifiers_without_identities() {
    let rule = Rule::new(LIMIT).identifier(Identifier::header("not a header"));
    assert!(error_of([rule]).contains("no name of an HTTP header"));
}

#[test]
fn names_that_are_taken_or_cannot_be() {
    let named = |name: &str| Paths::all().name(name);
    let first = || {
        Throttle::new()
            .paths(named("towns"), [Rule::new(LIMIT)])
            .expect("an entry")
    };
    let taken = rejected(first().paths(named("towns"), [Rule::new(LIMIT)]));
    assert!(taken.contains("named `towns`"), "{taken}");
    let shadow = named("towns").shadow();
    assert!(
        first().paths(shadow, [Rule::new(LIMIT)]).is_ok(),
        "a candidate may"
    );
    for name in ["", "wälder"] {
        let message = rejected(Throttle::new().paths(named(name), [Rule::new(LIMIT)]));
        assert!(message.contains("printable ASCII"), "{message}");
        let entry = format!("the name `{name}` of an entry of a `Throttle`: ");
        assert!(message.starts_with(&entry), "{message}");
    }
}

#[test]
fn methods_of_no_request() {
    let none = || Paths::all().methods([]);
    for message in [
        rejected(Throttle::new().paths(none(), [Rule::new(LIMIT)])),
        rejected(Throttle::new().exempt_paths(none())),
    ] {
        assert!(message.contains("`methods` is empty"), "{message}");
    }
    let one = none().methods([Method::GET]);
    assert!(Throttle::new().paths(one, [Rule::new(LIMIT)]).is_ok());
}

#[test]
fn identifier_of_the_middleware() {
    let invalid = || Throttle::new().identifier(Identifier::all([]));
    for message in [
        rejected(invalid().paths("^/", [Rule::new(LIMIT)])),
        rejected(invalid().exempt_paths("^/")),
    ] {
        assert!(
            message.contains("the identifier of a `Throttle`: "),
            "{message}"
        );
    }
}

#[test]
fn exempt_shadow() {
    let shadow = Paths::all().shadow();
    assert!(rejected(Throttle::new().exempt_paths(shadow)).contains("cannot be a shadow"));
}
