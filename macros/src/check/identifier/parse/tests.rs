//! Tests of the identifiers that an attribute takes.

use syn::parse_quote;

use super::*;

#[test]
fn takes_the_builtin_and_functions() {
    for (expr, fingerprint) in [
        (parse_quote!(ip), "ip"),
        (parse_quote!(global), "global"),
        (parse_quote!(header("X-Api-Key")), "header(\"x-api-key\")"),
        (parse_quote!(cookie("sid")), "cookie(\"sid\")"),
        (parse_quote!(path("id")), "path(\"id\")"),
        (parse_quote!(query("tenant")), "query(\"tenant\")"),
        (parse_quote!(by_key), "by_key"),
        (parse_quote!(self::path), "self :: path"),
        (parse_quote!(BY_TOKEN), "BY_TOKEN"),
        (parse_quote!(keys::BY_TOKEN), "keys :: BY_TOKEN"),
        (parse_quote!(&keys::by_token), "keys :: by_token"),
        (parse_quote!((ip)), "ip"),
        (
            parse_quote!((ip, header("X-Tenant"))),
            "(ip, header(\"x-tenant\"))",
        ),
        (
            parse_quote!((path("id"), by_key, &BY_TOKEN,)),
            "(path(\"id\"), by_key, BY_TOKEN)",
        ),
    ] {
        let identifier = Identifier::parse(&expr).map(|identifier| identifier.fingerprint());
        assert_eq!(
            identifier.map_err(|error| error.to_string()),
            Ok(fingerprint.to_owned())
        );
    }
}

#[test]
fn says_what_to_write_instead() {
    for (expr, expected) in [
        (parse_quote!(header), "`header` needs a name"),
        (
            parse_quote!(ip()),
            "`ip` takes no argument: write `identifier = ip`",
        ),
        (
            parse_quote!(headr("X")),
            "unknown identifier `headr`, did you mean `header`?",
        ),
        (
            parse_quote!(header("")),
            "the name is empty: say which header",
        ),
        (
            parse_quote!(header("X Key")),
            "` ` cannot stand in the name of a header",
        ),
        (
            parse_quote!(header("Schlüssel")),
            "cannot stand in the name of a header",
        ),
        (
            parse_quote!(cookie("a=b")),
            "`=` cannot stand in the name of a cookie",
        ),
        (
            parse_quote!(path("{id}")),
            "`{` cannot stand in the name of a path parameter",
        ),
        (
            parse_quote!(header(NAME)),
            "`header` takes one string literal",
        ),
        (
            parse_quote!(header("a", "b")),
            "`header` takes one string literal",
        ),
        (
            parse_quote!(by_key(3)),
            "takes a function, not its result: write `identifier = by_key`",
        ),
        (
            parse_quote!(my::by_key()),
            "write `identifier = my::by_key`",
        ),
        (parse_quote!("ip"), "has no quotes: write `identifier = ip`"),
        (parse_quote!(5), "or the path of a function"),
        (parse_quote!(|req| "x"), "a closure has to be named"),
        (parse_quote!(session), "`self::session`"),
        (parse_quote!(()), "a combination has at least two parts"),
        (parse_quote!((ip,)), "a combination has at least two parts"),
        (
            parse_quote!((ip, global)),
            "`global` is the same for all requests and tells none apart",
        ),
        (
            parse_quote!((header("A"), ip, header("a"))),
            "`header(\"a\")` is in the combination already: remove it",
        ),
        (
            parse_quote!((by_key, ip, by_key)),
            "`by_key` is in the combination already: remove it",
        ),
        (
            parse_quote!((ip, (by_key, path("id")))),
            "a combination within a combination",
        ),
        (parse_quote!((ip, 5)), "or the path of a function"),
        (parse_quote!((ip, header)), "`header` needs a name"),
    ] {
        let message = Identifier::parse(&expr).map_or_else(
            |error| error.to_string(),
            |identifier| identifier.fingerprint(),
        );
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn all_errors_of_a_tuple_are_reported() {
    let expr = parse_quote!((ip, global, headr("X"), ip, 5));
    let error = Identifier::parse(&expr).map(|it| it.fingerprint());
    let error = error.expect_err("four errors");
    assert_eq!(error.into_iter().count(), 4);
}
