//! Tests of the checks: which arguments are valid, and what errors lead to. The cases of `rewrite`
//! have one misuse of each kind, with its whole message and where it stands.

use quote::quote;

use self::support::{assert_errors, errors_of, errors_on};

mod calendar;
mod concurrency;
mod failure_mode;
mod max_wait;
mod named;
mod refund_on;
mod settle;
mod stacked;
mod support;

#[test]
fn correct_attributes_say_nothing() {
    for arguments in [
        quote!(times = 2, seconds = 5),
        quote!("100/minute"),
        quote!(times = N, minutes = 1, seconds = A * 2),
        quote!(times = 0x10, milliseconds = 1_000u32, shadow),
        quote!(
            "5/s",
            algorithm = "token_bucket",
            capacity = 20,
            refill = "interval",
            cost = 20
        ),
        quote!(
            "5/s",
            cost = cost_of,
            skip_if = a::b,
            dynamic = c::<D>,
            on_limited = e,
            failure_mode = "local"
        ),
        quote!(
            "5/s",
            identifier = cookie("sid"),
            name = "a b",
            zone = "ö",
            group = "pro"
        ),
        quote!("5/s", identifier = keys::BY_TOKEN),
        quote!("5/s", block = "1h 30m"),
        quote!("5/s", block = "1ms, 1ms, 1h 30m"),
        quote!("5/s", lease = 2),
        quote!("5/s", algorithm = "token_bucket", lease = 2 * N),
        quote!(unlimited, group = "admin", identifier = ip),
        quote!(
            times = 1_000_000_000,
            days = 366,
            algorithm = "fixed_window"
        ),
        quote!("1/ms", algorithm = "leaky_bucket"),
    ] {
        let text = arguments.to_string();
        assert_eq!(errors_of(arguments), [""; 0], "{text}");
    }
}

#[test]
fn each_error_says_what_to_write() {
    for (arguments, start) in [
        (
            quote!(times = true, seconds = 5),
            "`times` takes an integer",
        ),
        (
            quote!("5/s", hours = 5),
            "\"5/s\" says this already: remove `hours`",
        ),
        (
            quote!("5/s", cost = |_| 5),
            "`cost` takes the path of a function",
        ),
        (
            quote!(unlimited, group = "a", "5/s"),
            "`unlimited` takes no rate",
        ),
        (
            quote!(unlimited, group = "a", block = "5s"),
            "`unlimited` has no use for `block`",
        ),
        (quote!("5/s", block = "5"), "not a duration:"),
        (
            quote!("5/s", block = "1s, 2s, 1s"),
            "no length of `block` may be shorter than the one before it",
        ),
        (
            quote!("5/s", block = "1s, 500 days"),
            "`block` must be from 1 millisecond to 366 days",
        ),
        (
            quote!(
                "5/s",
                block = "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s"
            ),
            "`block` takes 1 to 16 lengths",
        ),
        (
            quote!("5/s", block = "1us"),
            "`block` must be from 1 millisecond to 366 days",
        ),
        (
            quote!("5/s", skip_if = a::b()),
            "`skip_if` takes a function, not its result: write `skip_if = a::b`",
        ),
        (quote!("5/s", dynamic), "`dynamic` needs a value"),
        (quote!("5/s", lease), "`lease` needs a value"),
    ] {
        assert_errors(&errors_of(arguments), &[start]);
    }
}

#[test]
fn all_errors_of_all_attributes_show_at_once() {
    let item = quote! {
        #[rate_limit(times = 0)]
        #[rate_limit = "5/s"]
        #[rate_limit]
        fn handler(&self, body: impl FromRequest) -> String { String::new() }
    };
    assert_errors(
        &errors_on(
            quote!(tiems = 1, tiems = 2, seconds = 0, block = "x", group = ""),
            item,
        ),
        &[
            "unknown argument `tiems`",
            "unknown argument `tiems`",
            "`group` is empty",
            "`seconds = 0` is not a window",
            "not a duration",
            "the window is missing",
            "`times` must be from 1 to 1,000,000,000",
            "write `#[rate_limit(\"5/s\")]`",
            "the limit is missing",
            "a limited handler is asynchronous: write `async fn handler`",
            "Actix has no `self`",
            "Actix must know which type to extract",
        ],
    );
}
