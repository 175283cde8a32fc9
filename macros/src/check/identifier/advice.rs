//! Suggests what to write in place of an invalid identifier.

use quote::ToTokens;
use syn::{Expr, ExprCall, ExprPath, Lit, Path};

use super::keywords::{NAMED, PLAIN};
use crate::check::value::literal;

/// Constructors of the runtime's `Identifier` without a keyword in the attribute.
const OF_THE_RUNTIME: [&str; 3] = ["session", "session_keys", "jwt"];

/// Suggests a replacement for a path; `None` if it may be a function of the user.
pub(crate) fn of_path(path: &ExprPath) -> Option<String> {
    if let Some(constructor) = constructor(&path.path) {
        return Some(match plain_or_named(&constructor) {
            Some(example) => format!("write `identifier = {example}`"),
            None => of_runtime(&constructor, None)?,
        });
    }
    let word = path.path.get_ident()?.to_string();
    let advice = of_runtime(&word, None)?;
    Some(format!(
        "{advice} (for a function of that name, `self::{word}`)"
    ))
}

/// Suggests a replacement for a call; `None` if it calls a function of the user.
pub(crate) fn of_call(call: &ExprCall) -> Option<String> {
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let Some(constructor) = constructor(&function.path) else {
        let word = function.path.get_ident()?.to_string();
        return of_runtime(&word, None);
    };
    if PLAIN.contains(&&*constructor) {
        return Some(format!("write `identifier = {constructor}`"));
    }
    if plain_or_named(&constructor).is_some() {
        return Some(match call.args.first().and_then(literal) {
            Some(Lit::Str(name)) if call.args.len() == 1 => {
                let name = name.to_token_stream();
                format!("write `identifier = {constructor}({name})`")
            }
            _ => as_static("BY_IT", &format!("|| actix_throttle::{}", text(call))),
        });
    }
    of_runtime(&constructor, Some(call))
}

/// Suggests a replacement for a closure.
pub(crate) fn of_closure() -> String {
    "a closure has to be named: write `fn by_key(request: &HttpRequest) -> Option<String> { ... }` and \
     `identifier = by_key`"
        .to_owned()
}

/// Suggests a static for a constructor without a keyword.
fn of_runtime(constructor: &str, call: Option<&ExprCall>) -> Option<String> {
    if !OF_THE_RUNTIME.contains(&constructor) {
        return None;
    }
    let written = call.filter(|call| !call.args.is_empty() && constructor == "session_keys");
    Some(match (constructor, written) {
        ("session", _) => as_static("BY_SESSION", "actix_throttle::Identifier::session"),
        (_, Some(call)) => as_static("BY_SESSION", &format!("|| actix_throttle::{}", text(call))),
        ("session_keys", None) => as_static(
            "BY_SESSION",
            "|| actix_throttle::Identifier::session_keys(\"user\", \"group\")",
        ),
        _ => as_static(
            "BY_TOKEN",
            "|| { let key = actix_throttle::JwtKey::secret(std::env::var(\"JWT_SECRET\").unwrap()); \
             let jwt = actix_throttle::Jwt::builder().key(key).build(); \
             actix_throttle::Identifier::jwt(jwt.unwrap()) }",
        ),
    })
}

fn as_static(name: &str, made: &str) -> String {
    format!(
        "such an identifier goes into a static: write `static {name}: \
         std::sync::LazyLock<actix_throttle::Identifier> = std::sync::LazyLock::new({made});` and \
         `identifier = {name}`"
    )
}

/// Returns `header` for `Identifier::header`.
fn constructor(path: &Path) -> Option<String> {
    let mut segments = path.segments.iter().rev();
    let (last, before) = (segments.next()?, segments.next()?);
    (before.ident == "Identifier").then(|| last.ident.to_string())
}

/// Returns the keyword form of a constructor.
fn plain_or_named(constructor: &str) -> Option<String> {
    let plain = PLAIN.iter().find(|plain| **plain == constructor);
    let named = NAMED.iter().find(|(named, _)| *named == constructor);
    let named = named.map(|(named, example)| format!("{named}(\"{example}\")"));
    plain.map(|plain| (*plain).to_owned()).or(named)
}

/// Returns the call from `Identifier` on, with the usual spacing.
fn text(call: &ExprCall) -> String {
    let text = call.to_token_stream().to_string();
    let text = text.replace(" :: ", "::").replace(":: ", "::");
    let text = text
        .replace(" (", "(")
        .replace("& ", "&")
        .replace(" ,", ",");
    let from = text.find("Identifier::").unwrap_or(0);
    text[from..].to_owned()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn what_the_attribute_has_a_word_for_is_written_by_that() {
        for (path, advice) in [
            (parse_quote!(Identifier::ip), "write `identifier = ip`"),
            (
                parse_quote!(actix_throttle::Identifier::query),
                "write `identifier = query(\"tenant\")`",
            ),
        ] {
            assert_eq!(of_path(&path).as_deref(), Some(advice));
        }
        for (call, advice) in [
            (
                parse_quote!(Identifier::global()),
                "write `identifier = global`",
            ),
            (
                parse_quote!(Identifier::header("X")),
                "write `identifier = header(\"X\")`",
            ),
        ] {
            assert_eq!(of_call(&call).as_deref(), Some(advice));
        }
    }

    #[test]
    fn the_rest_goes_into_a_static() {
        for (call, made) in [
            (
                parse_quote!(session()),
                "new(actix_throttle::Identifier::session);",
            ),
            (
                parse_quote!(t::Identifier::session_keys("account", &plan())),
                "new(|| actix_throttle::Identifier::session_keys(\"account\", &plan()));",
            ),
            (
                parse_quote!(Identifier::header(NAME)),
                "new(|| actix_throttle::Identifier::header(NAME));",
            ),
            (parse_quote!(jwt("secret")), "Jwt::builder()"),
            (parse_quote!(Identifier::jwt(made)), "Jwt::builder()"),
        ] {
            let message = of_call(&call).unwrap_or_default();
            assert!(message.contains(made), "{message}");
        }
    }

    #[test]
    fn the_users_own_are_let_alone() {
        assert_eq!(of_path(&parse_quote!(by_session)), None);
        assert_eq!(of_path(&parse_quote!(self::session)), None);
        assert_eq!(of_path(&parse_quote!(keys::jwt)), None);
        assert_eq!(of_call(&parse_quote!(by_key(3))), None);
    }
}
