//! Tests of `refund_on`: its values and their expansion.

use quote::quote;

use super::support::{assert_errors, calls, errors_of};

#[test]
fn each_part_is_a_range() -> syn::Result<()> {
    for (list, ranges) in [
        ("5xx, 404", "(500,599),(404,404)"),
        ("404", "(404,404)"),
        (" 5XX ,4xx", "(500,599),(400,499)"),
        ("500-504, 100, 599", "(500,504),(100,100),(599,599)"),
        ("100 - 599", "(100,599)"),
        ("1xx,2xx,3xx", "(100,199),(200,299),(300,399)"),
    ] {
        let rule = calls(quote!("5/s", refund_on = #list), quote!())?;
        let statuses = "::actix_throttle::__private::StatusSet::ranges";
        let call = format!(".refund_on({statuses}(&[{ranges}]))");
        assert!(rule.ends_with(&call), "{list}: {rule}");
    }
    Ok(())
}

#[test]
fn limit_without_refund_on_refunds_nothing() -> syn::Result<()> {
    let rule = calls(quote!("5/s"), quote!())?;
    assert!(!rule.contains("refund"), "{rule}");
    Ok(())
}

#[test]
fn any_other_value_is_an_error_with_an_example() {
    for (value, start) in [
        (
            quote!(""),
            "`refund_on` is empty: write `refund_on = \"5xx\"`",
        ),
        (quote!(" "), "`refund_on` is empty"),
        (quote!(","), "a comma has nothing beside it"),
        (quote!("5xx,"), "a comma has nothing beside it"),
        (quote!("5xx,,404"), "a comma has nothing beside it"),
        (
            quote!("6xx"),
            "`6xx` is out of range, statuses go from 100 to 599: write `404`, `5xx` or `500-504`",
        ),
        (
            quote!("0xx"),
            "`0xx` is out of range, statuses go from 100 to 599",
        ),
        (
            quote!("99"),
            "`99` is out of range, statuses go from 100 to 599",
        ),
        (
            quote!("600"),
            "`600` is out of range, statuses go from 100 to 599",
        ),
        (
            quote!("99999999"),
            "`99999999` is out of range, statuses go from",
        ),
        (
            quote!("99-404"),
            "`99-404` is out of range, statuses go from",
        ),
        (
            quote!("404-600"),
            "`404-600` is out of range, statuses go from",
        ),
        (
            quote!("504-500"),
            "`504-500` begins above its end: write `500-504`",
        ),
        (
            quote!("teapot"),
            "`teapot` is not a status: write `404`, `5xx` or `500-504`, separated by commas",
        ),
        (
            quote!("5x"),
            "`5x` is not a status, did you mean `5xx`? Or write `404`, ",
        ),
        (
            quote!("5**"),
            "`5**` is not a status, did you mean `5xx`? Or write",
        ),
        (
            quote!("500s"),
            "`500s` is not a status, did you mean `5xx`? Or write",
        ),
        (
            quote!("HTTP 404"),
            "`HTTP 404` is not a status, did you mean `404`? Or write",
        ),
        (
            quote!("500..=504"),
            "`500..=504` is not a status, did you mean `500-504`? Or write",
        ),
        (quote!("500..600"), "`500..600` is not a status: write"),
        (quote!("7x"), "`7x` is not a status: write"),
        (
            quote!("404 500"),
            "`404 500` is not a status, did you mean `404, 500`? Or",
        ),
        (
            quote!("-404"),
            "`-404` is not a status, did you mean `404`?",
        ),
        (quote!("５xx"), "`５xx` is not a status: write"),
        (
            quote!("404;500\n"),
            "`404;500` is not a status, did you mean `404, 500`? Or",
        ),
        (
            quote!("404, 404"),
            "`404` is given twice: remove one of them",
        ),
        (quote!("5xx,5XX"), "`5XX` is given twice"),
        (quote!("5xx, 503"), "`5xx` has `503` in it: remove `503`"),
        (quote!("503, 5xx"), "`5xx` has `503` in it: remove `503`"),
        (
            quote!("400-410, 405-420"),
            "`400-410` and `405-420` have statuses in common",
        ),
        (
            quote!(404),
            "`refund_on` takes a string literal: write `refund_on = \"404\"`",
        ),
        (
            quote!([404, 500]),
            "`refund_on` takes a string literal: write `refund_on = \"5xx\"`",
        ),
        (quote!(STATUSES), "`refund_on` takes a string literal"),
    ] {
        assert_errors(&errors_of(quote!("5/s", refund_on = #value)), &[start]);
    }
    assert_errors(
        &errors_of(quote!("5/s", refund_on)),
        &["`refund_on` needs a value: write `refund_on = \"5xx\"`"],
    );
}

#[test]
fn each_error_of_a_list_is_shown() {
    assert_errors(
        &errors_of(quote!(
            times = 0,
            seconds = 5,
            refund_on = "6xx, 404, x, 404"
        )),
        &[
            "`times` must be from 1 to 1,000,000,000",
            "`6xx` is out of range",
            "`x` is not a status",
            "`404` is given twice",
        ],
    );
}
