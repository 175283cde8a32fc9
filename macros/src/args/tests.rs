//! Tests of parsing: arguments are read past errors, and each error is reported once.

use quote::quote;

use super::*;

fn read(tokens: TokenStream) -> (Arguments, Vec<String>) {
    let mut errors = Errors::default();
    let arguments = Arguments::parse(AttrName::RateLimit, tokens, TokenStream::new(), &mut errors);
    (arguments, errors.messages())
}

#[test]
fn reads_values_flags_and_the_rate() {
    let (arguments, errors) = read(quote!("5/s", zone = "z", cost = A::<B, C>::D + 1, shadow,));
    assert_eq!(errors, [""; 0]);
    assert_eq!(
        arguments.rate.map(|rate| rate.value()),
        Some("5/s".to_owned())
    );
    let names: Vec<_> = arguments.named.keys().copied().collect();
    assert_eq!(names, [ArgName::Cost, ArgName::Zone, ArgName::Shadow]);
}

#[test]
fn parsing_continues_after_each_error() {
    let (arguments, errors) = read(quote!(
        tiems = 1,
        seconds = 1,
        seconds = 2,
        times(3),
        4,
        "1/s",
        "2/s",
        A::B,
        RATE,
        a::b = 1,
        zone =,
        cost = @
    ));
    let starts = [
        "unknown argument `tiems`, did you mean `times`?",
        "`seconds` is given twice",
        "expected `,` or `=` after `times`: write `times = 10`",
        "expected an argument",
        "a second rate",
        "a rate is read when the crate is built",
        "a rate is read when the crate is built",
        "expected an argument",
        "the value is missing: write `zone = \"login\"`",
        "expected an expression",
    ];
    assert_eq!(errors.len(), starts.len(), "{errors:#?}");
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{error} / {start}");
    }
    assert!(arguments.named(ArgName::Times).is_some());
}

#[test]
fn missing_comma_is_one_error() {
    for tokens in [
        quote!(times = 1 seconds = 2),
        quote!(times = 1; seconds = 2),
        quote!(shadow times = 1, seconds = 2),
    ] {
        let (arguments, errors) = read(tokens);
        assert_eq!(errors, ["expected `,` between two arguments"]);
        assert!(arguments.named(ArgName::Times).is_some());
        assert!(arguments.named(ArgName::Seconds).is_some());
    }
}

#[test]
fn unknown_without_a_likeness_lists_the_valid() {
    let (_, errors) = read(quote!(flavour = "sweet"));
    assert!(errors[0].starts_with("unknown argument `flavour`: valid are `times`, "));
}
