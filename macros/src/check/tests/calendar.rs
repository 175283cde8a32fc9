//! Tests of `every` and `time_zone`.

use quote::quote;

use super::support::{assert_errors, calls, errors_of, items};

#[test]
fn correct_periods_say_nothing() {
    for arguments in [
        quote!(times = 5, every = "month"),
        quote!(times = N, every = "hour", time_zone = "UTC"),
        quote!(
            times = 2_000_000,
            every = "year",
            block = "1h",
            lease = 2,
            shadow
        ),
        quote!(
            times = 5,
            every = "week",
            cost = 5,
            max_wait = "1h",
            refund_on = "5xx"
        ),
    ] {
        let text = arguments.to_string();
        assert_eq!(errors_of(arguments), [""; 0], "{text}");
    }
}

#[test]
fn a_period_excludes_a_window_and_an_algorithm() {
    for (arguments, starts) in [
        (
            quote!(times = 5, every = "day", hours = 24, seconds = 1),
            &[
                "`every` says this already: remove `seconds`",
                "`every` says this already: remove `hours`",
            ][..],
        ),
        (
            quote!("5/day", every = "day"),
            &["\"5/day\" says this already: remove `every`"],
        ),
        (
            quote!(
                times = 5,
                every = "day",
                algorithm = "fixed_window",
                capacity = 5,
                refill = "greedy"
            ),
            &[
                "`every` counts by the calendar and takes no `algorithm`",
                "`every` counts by the calendar and takes no `capacity`",
                "`every` counts by the calendar and takes no `capacity` and no `refill`",
            ],
        ),
        (
            quote!(times = 5, every = "fortnight", time_zone = "UTC"),
            &["unknown period `fortnight`: valid are `hour`, `day`, `week`, `month`, `year`"],
        ),
        (quote!(every = "day"), &["`times` is missing"]),
        (
            quote!(times = 0, every = "day"),
            &["`times` must be from 1"],
        ),
        (
            quote!(times = 5, every = "day", cost = 6),
            &["`cost` is more than this limit can ever hold"],
        ),
        (
            quote!(times = 5, every = day),
            &["`every` takes a string literal: write `every = \"day\"`"],
        ),
        (
            quote!(unlimited, group = "a", every = "day", time_zone = "UTC"),
            &[
                "`unlimited` takes no times/window: remove `every`",
                "`unlimited` has no use for `time_zone`",
            ],
        ),
    ] {
        let text = arguments.to_string();
        let errors = errors_of(arguments);
        assert_eq!(errors.len(), starts.len(), "{text}: {errors:#?}");
        assert_errors(&errors, starts);
    }
}

#[test]
fn a_time_zone_belongs_to_a_period_and_exists() {
    let belongs = &["`time_zone` belongs to `every`: add `every = \"day\"`"];
    assert_errors(&errors_of(quote!("5/day", time_zone = "UTC")), belongs);
    let empty = errors_of(quote!(times = 5, every = "day", time_zone = ""));
    assert_errors(&empty, &["`time_zone` is empty"]);
    let berlin = errors_of(quote!(
        times = 5,
        every = "day",
        time_zone = "Europe/Berlin"
    ));
    let misspelt = errors_of(quote!(times = 5, every = "day", time_zone = "Europe/Berln"));
    if cfg!(feature = "time-zones") {
        assert_errors(&berlin, &[]);
        let hint = "unknown time zone `Europe/Berln`, did you mean `Europe/Berlin`? Write a name";
        assert_errors(&misspelt, &[hint]);
    } else {
        assert_errors(&berlin, &["time zones other than `UTC` need the feature"]);
        assert_errors(&misspelt, &["time zones other than `UTC` need the feature"]);
    }
}

#[test]
fn a_period_becomes_a_limit_of_the_calendar() {
    let items = items(
        quote!(times = 5, every = "month", time_zone = "UTC", block = "1h"),
        quote!(),
    );
    let items = items.expect("valid arguments");
    let limit = "Limit::every(::actix_throttle::__private::Period::Month,5).time_zone(\"UTC\")";
    assert!(items.contains(limit), "{items}");
    assert!(!items.contains("algorithm"), "{items}");
    assert!(calls(quote!(times = 5, every = "month"), quote!()).is_ok());
}

#[test]
fn stacked_periods_share_a_counter_whatever_their_zones() {
    let stacked =
        |one, other| calls(one, quote!(#[rate_limit(#other)])).map_err(|it| it.to_string());
    let shared = stacked(
        quote!(times = 5, every = "day"),
        quote!(times = 9, every = "day", time_zone = "UTC"),
    );
    let error = shared.expect_err("one counter");
    assert!(error.contains("would share its counter"), "{error}");
    for other in [
        quote!(times = 9, every = "month"),
        quote!(times = 9, every = "day", shadow),
        quote!(times = 9, days = 1, algorithm = "fixed_window"),
        quote!(times = 9, days = N, algorithm = "fixed_window"),
    ] {
        assert!(stacked(quote!(times = 5, every = "day"), other).is_ok());
    }
}
