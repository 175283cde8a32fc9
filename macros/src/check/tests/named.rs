//! Tests of `limit`, which names a limit of the configuration.

use quote::quote;

use super::support::{assert_errors, errors_of};

#[cfg(not(feature = "config"))]
#[test]
fn without_a_configuration_it_says_what_to_enable() {
    for arguments in [
        quote!(limit = "login"),
        quote!(limit = "login", "5/s"),
        quote!(limit = 5),
    ] {
        assert_errors(
            &errors_of(arguments),
            &["`limit` takes its numbers from a configuration file: enable the feature `config`"],
        );
    }
}

#[cfg(feature = "config")]
mod with_a_configuration {
    use super::*;
    use crate::check::tests::support::{calls, errors_on};

    const RULE: &str = "::actix_throttle::__private::Rule";
    const ZONE: &str = "__THROTTLE_ZONE.get()";

    #[test]
    fn alone_it_tells_the_name_and_the_zone() -> syn::Result<()> {
        for (arguments, expected) in [
            (
                quote!(limit = "login"),
                format!(".defaults(\"login\",{ZONE})"),
            ),
            (
                quote!(limit = "login", name = "n", zone = "z"),
                ".defaults(\"n\",\"z\")".to_owned(),
            ),
            (
                quote!(
                    limit = "login",
                    cost = cost_of,
                    group = "pro",
                    dynamic = by_plan
                ),
                format!(
                    ".defaults(\"login\",{ZONE}).group(\"pro\").cost_by(cost_of).dynamic_by(by_plan)"
                ),
            ),
        ] {
            let rule = calls(arguments, quote!())?;
            assert_eq!(rule, format!("{RULE}::named(\"login\"){expected}"));
        }
        Ok(())
    }

    #[test]
    fn a_written_rate_is_the_fallback() -> syn::Result<()> {
        for arguments in [
            quote!(limit = "a", "5/s"),
            quote!("5/s", limit = "a", shadow, cost = 2, lease = 2),
            quote!(times = N, seconds = 5, limit = "a", block = "1s"),
        ] {
            let rule = calls(arguments, quote!())?;
            assert_eq!(
                rule,
                format!("{RULE}::named(\"a\").fallback(__THROTTLE_LIMIT_1.zone({ZONE}))")
            );
        }
        Ok(())
    }

    #[test]
    fn it_is_one_of_the_handlers_limits() -> syn::Result<()> {
        let stacked = quote!(#[rate_limit(limit = "a")] #[rate_limit("9/s")]);
        let rules = calls(quote!("5/h"), stacked)?;
        let named = format!("{RULE}::named(\"a\").defaults(\"login-2\",{ZONE})");
        let [first, third] =
            [1, 3].map(|n| format!("{RULE}::new(__THROTTLE_LIMIT_{n}.zone({ZONE}))"));
        let expected = format!("{first},{named},{third}");
        assert_eq!(rules, expected);
        Ok(())
    }

    #[test]
    fn two_functions_count_apart() -> syn::Result<()> {
        let stacked = quote!(#[rate_limit(limit = "a", identifier = BY_TENANT)]);
        let rules = calls(quote!(limit = "a", identifier = by_user), stacked)?;
        for zone in [
            "__THROTTLE_ZONE.apart(\"by_user\")",
            "__THROTTLE_ZONE.apart(\"BY_TENANT\")",
        ] {
            assert!(rules.contains(zone), "{rules}");
        }
        assert!(rules.contains(".identifier(by_user)"), "{rules}");
        assert!(rules.contains(".identifier(&BY_TENANT)"), "{rules}");
        Ok(())
    }

    #[test]
    fn numbers_need_a_fallback() {
        for (numbers, name) in [
            (quote!(algorithm = "token_bucket"), "algorithm"),
            (quote!(capacity = 5), "capacity"),
            (quote!(refill = "greedy"), "refill"),
            (quote!(cost = 5), "cost"),
            (quote!(cost = COST), "cost"),
            (quote!(block = "5s"), "block"),
            (quote!(lease = 5), "lease"),
            (quote!(shadow), "shadow"),
        ] {
            let start = format!(
                "the numbers of this limit are in the configuration: put `{name}` there, or write a rate \
                 as the fallback, `\"10/minute\"`"
            );
            assert_errors(&errors_of(quote!(limit = "a", #numbers)), &[&start]);
        }
    }

    #[test]
    fn half_a_fallback_is_none() {
        assert_errors(
            &errors_of(quote!(limit = "a", times = 5)),
            &["the window is missing"],
        );
        assert_errors(
            &errors_of(quote!(limit = "a", seconds = 5)),
            &["`times` is missing"],
        );
        assert_errors(
            &errors_of(quote!(limit = "a", "0/s")),
            &["a rate of 0 would admit nothing"],
        );
    }

    #[test]
    fn invalid_name_is_an_error_with_an_example() {
        let takes = "`limit` takes the name of a limit in the configuration";
        for (value, rest) in [
            (
                quote!("5/minute"),
                "; a rate stands by itself: write `\"5/minute\"` without `limit =`",
            ),
            (quote!(login), ": write `limit = \"login\"`"),
        ] {
            let start = format!("{takes}{rest}");
            assert_errors(&errors_of(quote!(limit = #value)), &[&start]);
            assert_errors(&errors_of(quote!(limit = #value, "5/s")), &[&start]);
        }
        for (value, number) in [
            (quote!(5), "5"),
            (quote!(MAX), "MAX"),
            (quote!(2 * MAX), "2*MAX"),
        ] {
            let start = format!("{takes}; did you mean `times = {number}`?");
            assert_errors(&errors_of(quote!(limit = #value, seconds = 5)), &[&start]);
            assert_errors(&errors_of(quote!(limit = #value, "5/s")), &[&start]);
        }
        for (value, start) in [
            (quote!(""), "`limit` is empty: write `limit = \"login\"`"),
            (quote!(true), "`limit` takes a string literal"),
            (quote!(1.5), "`limit` takes a string literal"),
        ] {
            assert_errors(&errors_of(quote!(limit = #value)), &[start]);
        }
        assert_errors(
            &errors_of(quote!(limit)),
            &["`limit` needs a value: write `limit = \"login\"`"],
        );
        assert_errors(
            &errors_of(quote!(limit = 5, shadow)),
            &["`limit` takes the name", "the window is missing"],
        );
        assert_errors(
            &errors_of(quote!(unlimited, group = "a", limit = "a")),
            &["`unlimited` has no use for `limit`"],
        );
    }

    #[test]
    fn no_two_of_a_handler_share_a_counter() {
        let same_name = Some("this limit of the configuration is named on this handler already");
        let shared = Some("this limit would share its counter with another one");
        for (first, second, start) in [
            (quote!(limit = "a"), quote!(limit = "a"), same_name),
            (quote!(limit = "a"), quote!(limit = "a", "5/s"), same_name),
            (
                quote!(limit = "a", name = "n"),
                quote!(limit = "a"),
                same_name,
            ),
            (quote!(limit = "a"), quote!(limit = "b"), None),
            (quote!(limit = "a"), quote!(limit = "a", zone = "z"), None),
            (quote!(limit = "a"), quote!(limit = "a", group = "g"), None),
            (
                quote!(limit = "a"),
                quote!(limit = "a", identifier = ip),
                None,
            ),
            (quote!(limit = "a"), quote!("5/s"), None),
            (quote!(limit = "a", "5/s"), quote!("5/s"), shared),
            (
                quote!(limit = "a", "5/s"),
                quote!(limit = "b", "5/s"),
                shared,
            ),
            (quote!(limit = "a", "5/s"), quote!(limit = "b", "5/m"), None),
        ] {
            let text = format!("{first} / {second}");
            let errors = errors_on(
                first,
                quote!(
                    #[rate_limit(#second)]
                    async fn handler() {}
                ),
            );
            assert_eq!(
                errors.len(),
                usize::from(start.is_some()),
                "{text}: {errors:?}"
            );
            for (error, start) in errors.iter().zip(start) {
                assert!(error.starts_with(start), "{text}: {error}");
            }
        }
    }
}
