//! Where a handler's limits count that name no zone: in one that is the handler's own.

use std::{any::type_name, collections::HashMap, fmt, ptr};

use once_cell::sync::{Lazy, OnceCell};
use parking_lot::Mutex;

use crate::intern::intern;

/// What the function is called that macro output puts into a handler, so that its type tells where
/// the handler is.
const LANDMARK: &str = "::__throttle_here";

/// What a type's name has for the block of an `async fn`, and for a closure.
const BLOCK: &str = "::{{closure}}";

/// Who has which default zone, by the address of the handler's static.
static CLAIMED: Lazy<Mutex<HashMap<&'static str, usize>>> = Lazy::new(Mutex::default);

/// The default zone of a handler: its path. It is the same in every build, wherever in its file the
/// handler stands.
///
/// That is the module's path and the handler's name, and for a handler inside another function, or of
/// a type, that function or type as well: two of them may have handlers of one name.
pub struct DefaultZone {
    module: &'static str,
    handler: &'static str,
    here: fn() -> &'static str,
    zone: OnceCell<&'static str>,
}

impl DefaultZone {
    /// For the handler of that name in that module. `landmark` is a function inside it: only the name
    /// of its type tells what the handler itself stands in.
    pub const fn new<F: Copy>(module: &'static str, handler: &'static str, _landmark: F) -> Self {
        Self {
            module,
            handler,
            here: type_name::<F>,
            zone: OnceCell::new(),
        }
    }

    /// The zone.
    pub fn get(&'static self) -> &'static str {
        self.zone.get_or_init(|| {
            let zone = intern(&zone(self.module, self.handler, (self.here)()));
            self.claim(zone);
            zone
        })
    }

    /// The zone of those limits of the handler that are told from others by whom they count.
    pub fn apart(&'static self, whom: &str) -> &'static str {
        intern(&format!("{}@{whom}", self.get()))
    }

    /// Two handlers of one name in two blocks of one function have the same path: nothing that would
    /// be the same in the next build tells them apart.
    fn claim(&'static self, zone: &'static str) {
        let this = ptr::from_ref(self).addr();
        let first = *CLAIMED.lock().entry(zone).or_insert(this);
        if first != this {
            log::error!(
                "two handlers named `{}` share the default zone \"{zone}\", and so their counters: \
                 rename one of them, or give the attributes of one a `zone` of its own",
                self.handler
            );
        }
    }
}

impl fmt::Debug for DefaultZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DefaultZone").field(&self.handler).finish()
    }
}

fn zone(module: &str, handler: &str, landmark: &str) -> String {
    let plain = format!("{module}::{handler}");
    let Some(mut path) = landmark.strip_suffix(LANDMARK) else {
        return plain;
    };
    while let Some(outer) = path.strip_suffix(BLOCK) {
        path = outer;
    }
    // Actix's `#[get]` moves the handler into a function of the service of that name.
    let service = path
        .strip_suffix(&format!("HttpServiceFactory>::register::{handler}"))
        .and_then(|path| path.strip_prefix('<')?.split_once(" as "))
        .map(|(service, _)| service);
    service.unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(landmark: &str) -> String {
        zone("app::m", "index", landmark)
    }

    #[test]
    fn handler_of_a_module_has_its_path() {
        for landmark in [
            "app::m::index::{{closure}}::__throttle_here",
            "<app::m::index as actix_web::service::HttpServiceFactory>::register::index\
             ::{{closure}}::__throttle_here",
            // A compiler that names types in another way.
            "app/m/index",
        ] {
            assert_eq!(of(landmark), "app::m::index", "{landmark}");
        }
    }

    #[test]
    fn handler_of_a_function_or_a_type_has_that_in_its_path() {
        for (landmark, path) in [
            (
                "app::m::one::index::{{closure}}::__throttle_here",
                "app::m::one::index",
            ),
            (
                "app::m::one::{{closure}}::index::{{closure}}::__throttle_here",
                "app::m::one::{{closure}}::index",
            ),
            (
                "<app::m::one::index as actix_web::service::HttpServiceFactory>::register::index\
                 ::{{closure}}::__throttle_here",
                "app::m::one::index",
            ),
            (
                "app::m::Api<_>::index::{{closure}}::__throttle_here",
                "app::m::Api<_>::index",
            ),
            (
                "<app::m::Api as app::m::Resource>::index::{{closure}}::__throttle_here",
                "<app::m::Api as app::m::Resource>::index",
            ),
        ] {
            assert_eq!(of(landmark), path);
        }
    }
}
