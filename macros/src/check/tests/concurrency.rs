//! Tests of the attribute `concurrency_limit`: its arguments and its expansion.

use proc_macro2::TokenStream;
use quote::quote;

use super::support::{assert_errors, calls, errors_by, items};
use crate::attribute::AttrName;

const VALID: &str = "alid are `max`, `expiry`, `identifier`, `name`, `zone`, `group`, `unlimited`, \
    `max_wait`, `skip_if`, `on_limited`, `failure_mode`, `shadow`";

fn errors_of(arguments: TokenStream) -> Vec<String> {
    errors_on(arguments, quote!())
}

/// Returns the errors of this attribute stacked on others.
fn errors_on(arguments: TokenStream, stacked: TokenStream) -> Vec<String> {
    let item = quote!(
        #stacked
        async fn handler() {}
    );
    errors_by(AttrName::ConcurrencyLimit, arguments, item)
}

#[test]
fn correct_attributes_say_nothing() {
    for arguments in [
        quote!(max = 1),
        quote!(max = 1_000_000, expiry = "24h"),
        quote!(max = 2 * N, expiry = "100ms", shadow),
        quote!(
            max = 5,
            identifier = header("X-Api-Key"),
            name = "a b",
            zone = "ö",
            group = "pro",
            max_wait = "500ms",
            skip_if = a::b,
            on_limited = c,
            failure_mode = "closed"
        ),
        quote!(unlimited, group = "admin", identifier = ip),
    ] {
        let text = arguments.to_string();
        assert_eq!(errors_of(arguments), [""; 0], "{text}");
    }
}

#[test]
fn each_error_says_what_to_write() {
    let range = "`expiry` must be from 100 milliseconds to 24 hours";
    for (arguments, start) in [
        (quote!(max = -1), "`max` cannot be negative"),
        (quote!(max = "5"), "`max` takes an integer, not a string"),
        (quote!(max), "`max` needs a value: write `max = 5`"),
        (quote!(max =), "the value is missing: write `max = 5`"),
        (quote!(max = 5, expiry = "99ms"), range),
        (quote!(max = 5, expiry = "25h"), range),
        (quote!(max = 5, expiry = "5"), "not a duration:"),
        (quote!(max = 5, expiry = 5), "`expiry` takes a string"),
        (
            quote!("5/s", max = 5),
            "`concurrency_limit` limits how many requests run at once and takes no rate",
        ),
        (quote!(5, max = 5), "expected an argument such as `max = 5`"),
        (
            quote!(max = 5, shadow = true),
            "`shadow` is a flag: write it without a value",
        ),
        (quote!(unlimited), "`unlimited` needs a group"),
        (
            quote!(unlimited, group = "a", expiry = "5s"),
            "`unlimited` has no use for `expiry`",
        ),
    ] {
        assert_errors(&errors_of(arguments), &[start]);
    }
}

#[test]
fn arguments_of_the_other_attribute_are_errors() {
    for (arguments, start) in [
        (
            quote!(limit = 5),
            "`limit` is an argument of `rate_limit`, did you mean `max`? V",
        ),
        (
            quote!(max = 5, lease = 5),
            "`lease` is an argument of `rate_limit`, did you mean `expiry`? V",
        ),
        (
            quote!(max = 5, refund_on = "5xx"),
            "`refund_on` is an argument of `rate_limit`: v",
        ),
        (
            quote!(permits = 5),
            "unknown argument `permits`, did you mean `max`? V",
        ),
    ] {
        assert_errors(&errors_of(arguments), &[&format!("{start}{VALID}")]);
    }
}

#[test]
fn all_errors_of_both_attributes_show_at_once() {
    let stacked = quote! {
        #[rate_limit(times = 0, seconds = 1)]
        #[actix_throttle::concurrency_limit]
        #[concurrency_limit = 5]
    };
    assert_errors(
        &errors_on(
            quote!(maks = 0, expiry = "x", max_wait = "0s", name = "ö"),
            stacked,
        ),
        &[
            "unknown argument `maks`, did you mean `max`?",
            "not a duration",
            "`name` goes into a header",
            "`max_wait` must be from 1 millisecond to 24 hours",
            "`times` must be from 1 to 1,000,000,000",
            "`max` is missing",
            "write `#[concurrency_limit(max = 5)]`",
        ],
    );
}

#[test]
fn no_two_limits_of_a_handler_share_their_permits() {
    for (first, second, shared) in [
        (quote!(max = 5), quote!(max = 5), true),
        (quote!(max = 5), quote!(max = 6, expiry = "5s"), true),
        (quote!(max = 5), quote!(max = N, name = "other"), true),
        (quote!(max = 5), quote!(max = 5, shadow), false),
        (quote!(max = 5), quote!(max = 5, zone = "a"), false),
        (quote!(max = 5), quote!(max = 5, group = "a"), false),
        (quote!(max = 5), quote!(max = 5, identifier = ip), false),
        (
            quote!(max = 5, identifier = BY_USER),
            quote!(max = 5, identifier = BY_TENANT),
            false,
        ),
    ] {
        let text = format!("{first} / {second}");
        let errors = errors_on(first, quote!(#[concurrency_limit(#second)]));
        assert_eq!(errors.len(), usize::from(shared), "{text}: {errors:#?}");
        for error in errors {
            assert!(
                error.starts_with("this limit would share its permits"),
                "{error}"
            );
        }
    }
    assert_eq!(
        errors_on(quote!(max = 5), quote!(#[rate_limit("5/s")])),
        [""; 0]
    );
}

#[test]
fn it_is_one_of_the_handlers_rules() -> syn::Result<()> {
    let stacked = quote! {
        #[concurrency_limit(
            max = 5, identifier = by_user, group = "pro", skip_if = skip, max_wait = "1s"
        )]
        #[rate_limit("9/m")]
        #[concurrency_limit(unlimited, group = "admin")]
    };
    let rules = calls(quote!("5/s"), stacked)?;
    let rule = "::actix_throttle::__private::Rule";
    let zone = "__THROTTLE_ZONE.get()";
    let expected = [
        format!("{rule}::new(__THROTTLE_LIMIT_1.zone({zone}))"),
        format!(
            "{rule}::concurrency(__THROTTLE_LIMIT_2.zone({zone})).identifier(by_user).group(\"pro\")\
             .skip_by(skip).max_wait(::core::time::Duration::from_micros(1000000))"
        ),
        format!("{rule}::new(__THROTTLE_LIMIT_3.zone({zone}))"),
        format!("{rule}::unlimited(\"admin\")"),
    ];
    assert_eq!(rules, expected.join(","));
    Ok(())
}

#[test]
fn its_numbers_are_a_constant() -> syn::Result<()> {
    let concurrency = "::actix_throttle::__private::Concurrency";
    for (arguments, value) in [
        (quote!(max = 5), "new(5).name(\"login-2\")".to_owned()),
        (
            quote!(max = 5, expiry = "10s", name = "n", zone = "z", shadow),
            "new(5).expiry(::core::time::Duration::from_micros(10000000))\
             .name(\"n\").zone(\"z\").shadow()"
                .to_owned(),
        ),
        (
            quote!(max = 2 * N, zone = "z"),
            "new({const__THROTTLE_NUMBER:::core::primitive::u32=2*N;__THROTTLE_NUMBER})\
             .name(\"login-2\").zone(\"z\")"
                .to_owned(),
        ),
    ] {
        let items = items(quote!("5/s"), quote!(#[concurrency_limit(#arguments)]))?;
        let expected = format!(
            "const__THROTTLE_LIMIT_2:{concurrency}=\
             {concurrency}::expect_valid({concurrency}::{value});"
        );
        assert!(items.contains(&expected), "{items}");
    }
    Ok(())
}

#[test]
fn two_functions_take_permits_apart() -> syn::Result<()> {
    let stacked = quote! {
        #[concurrency_limit(max = 5, identifier = by_user)]
        #[concurrency_limit(max = 5, identifier = BY_TENANT)]
    };
    let calls = calls(quote!("5/s", identifier = by_user), stacked)?;
    for zone in ["apart(\"by_user\")", "apart(\"BY_TENANT\")"] {
        assert_eq!(calls.matches(zone).count(), 1, "{calls}");
    }
    Ok(())
}
