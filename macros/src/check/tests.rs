//! Tests of every misuse that the macro can detect without the compiler, and of its message.

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
            quote!(times = 5),
            "the window is missing: add `seconds = 60`",
        ),
        (quote!(seconds = 5), "`times` is missing: add `times = 10`"),
        (
            quote!(times = 0, seconds = 5),
            "`times` must be from 1 to 1,000,000,000",
        ),
        (
            quote!(times = 5, minutes = 0),
            "`minutes = 0` is not a window",
        ),
        (
            quote!(times = -1, seconds = 5),
            "`times` cannot be negative",
        ),
        (
            quote!(times = 1.5, seconds = 5),
            "`times` takes whole numbers",
        ),
        (
            quote!(times = 5, seconds = "7"),
            "`seconds` takes an integer, not a string: write `seconds = 7`",
        ),
        (
            quote!(times = 5, seconds = 5s),
            "`seconds` takes a plain integer: write `seconds = 5`",
        ),
        (
            quote!(times = true, seconds = 5),
            "`times` takes an integer",
        ),
        (
            quote!(
                times = 1_000_000_001,
                seconds = 5,
                algorithm = "fixed_window"
            ),
            "`times` must be from 1 to 1,000,000,000",
        ),
        (
            quote!(times = 5, days = 367),
            "the window must be from 1 millisecond to 366 days",
        ),
        (
            quote!("2000000/hour"),
            "`sliding_window` keeps a log and takes at most 1,000,000 `times`",
        ),
        (
            quote!("2000000/s", algorithm = "leaky_bucket"),
            "a bucket gains at most one token a microsecond",
        ),
        (
            quote!("5/s", times = 5),
            "\"5/s\" says this already: remove `times`",
        ),
        (
            quote!("5/s", hours = 5),
            "\"5/s\" says this already: remove `hours`",
        ),
        (quote!("5/0s"), "a window of 0 is not a window"),
        (
            quote!("5/s", capacity = 5),
            "`capacity` and `refill` belong to `token_bucket`",
        ),
        (
            quote!("5/s", refill = "greedy"),
            "`capacity` and `refill` belong to `token_bucket`",
        ),
        (
            quote!("5/s", algorithm = "token_buket"),
            "unknown algorithm `token_buket`, did you mean `token_bucket`?",
        ),
        (
            quote!("5/s", algorithm = token_bucket),
            "`algorithm` takes a string literal: write `algorithm = \"token_bucket\"`",
        ),
        (quote!("5/s", cost = 0), "`cost = 0` would never count"),
        (
            quote!("5/s", cost = 6),
            "`cost` is more than this limit can ever hold",
        ),
        (
            quote!("5/s", algorithm = "token_bucket", capacity = 7, cost = 8),
            "`cost` is more than this limit can ever hold",
        ),
        (
            quote!("5/s", cost = |_| 5),
            "`cost` takes the path of a function",
        ),
        (quote!(unlimited), "`unlimited` needs a group"),
        (
            quote!(unlimited, group = "a", times = 5),
            "`unlimited` takes no times/window: remove `times`",
        ),
        (
            quote!(unlimited, group = "a", "5/s"),
            "`unlimited` takes no rate",
        ),
        (
            quote!(unlimited, group = "a", block = "5s"),
            "`unlimited` has no use for `block`",
        ),
        (
            quote!("5/s", shadow = false),
            "`shadow` is a flag: leave it out",
        ),
        (
            quote!("5/s", shadow = true),
            "`shadow` is a flag: write it without a value",
        ),
        (quote!("5/s", block = "5"), "not a duration:"),
        (quote!("5/s", block = "5s,"), "not a duration:"),
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
        (quote!("5/s", block = 5), "`block` takes a string literal"),
        (
            quote!("5/s", block = "1us"),
            "`block` must be from 1 millisecond to 366 days",
        ),
        (quote!("5/s", name = ""), "`name` is empty"),
        (quote!("5/s", name = "ö"), "`name` goes into a header"),
        (quote!("5/s", zone = ""), "`zone` is empty"),
        (
            quote!("5/s", skip_if = "a"),
            "`skip_if` takes a path: write `skip_if = a` without quotes",
        ),
        (
            quote!("5/s", skip_if = a::b()),
            "`skip_if` takes a function, not its result: write `skip_if = a::b`",
        ),
        (quote!("5/s", dynamic), "`dynamic` needs a value"),
        (
            quote!("5/s", lease = 0),
            "`lease` must be from 2 to 1,000,000,000; leave it out",
        ),
        (
            quote!("5/s", lease = 1),
            "`lease` must be from 2 to 1,000,000,000; leave it out",
        ),
        (
            quote!("5/s", lease = 1_000_000_001),
            "`lease` must be from 2 to 1,000,000,000",
        ),
        (quote!("5/s", lease), "`lease` needs a value"),
        (
            quote!("5/s", lease = 5, lease = 6),
            "`lease` is given twice",
        ),
        (
            quote!("5/s", lease = N, algorithm = "leaky_bucket"),
            "`leaky_bucket` never has more than one to lease",
        ),
        (
            quote!(unlimited, group = "a", lease = 5),
            "`unlimited` has no use for `lease`",
        ),
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

#[test]
fn items_that_are_no_handlers_are_errors() {
    let errors = errors_on(
        quote!("5/s"),
        quote!(
            pub struct A;
        ),
    );
    assert_errors(&errors, &["`rate_limit` goes on a handler, an `async fn`"]);
    let errors = errors_on(
        quote!("5/s"),
        quote!(
            async fn a();
        ),
    );
    assert_errors(&errors, &["`rate_limit` needs a handler with a body"]);
}
