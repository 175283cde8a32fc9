//! The default zone: the zone of a handler's limits that name none. Macro output keeps one for each
//! handler.

use std::{
    any::type_name,
    collections::HashMap,
    fmt, ptr,
    sync::{LazyLock, OnceLock},
};

use actix_throttle_core::{intern::intern, zone::letters};
use parking_lot::Mutex;

use crate::engine::log_throttle::TARGET;

/// The name of the function that macro output puts into a handler, so that its type name shows the
/// handler's path.
const LANDMARK: &str = "::__throttle_here";

/// The parts of a type name that stand for the block of an `async fn` and for a closure.
const BLOCK: &str = "::{{closure}}";

/// The handler of each default zone, as the address of its static.
static CLAIMED: LazyLock<Mutex<HashMap<&'static str, usize>>> = LazyLock::new(Mutex::default);

/// The default zone of all letters that stand for one in keys.
static LETTERS: LazyLock<Mutex<HashMap<[u8; 9], &'static str>>> = LazyLock::new(Mutex::default);

/// The default zone of a handler: its path. The zone is the same in every build, wherever in its
/// file the handler stands.
///
/// The path is that of the module and the handler's name. A handler inside another function, or of
/// a type, has that function or type in it as well, because two of them may have handlers of one
/// name.
pub struct DefaultZone {
    module: &'static str,
    handler: &'static str,
    here: fn() -> &'static str,
    zone: OnceLock<&'static str>,
}

impl DefaultZone {
    /// Creates the default zone of a handler in a module. `landmark` is a function inside the
    /// handler: only the name of its type shows which function or type encloses the handler.
    pub const fn new<F: Copy>(module: &'static str, handler: &'static str, _landmark: F) -> Self {
        Self {
            module,
            handler,
            here: type_name::<F>,
            zone: OnceLock::new(),
        }
    }

    /// Returns the zone. The first call claims it, and logs an error if another handler has it.
    pub fn get(&'static self) -> &'static str {
        self.zone.get_or_init(|| {
            let zone = intern(&zone(self.module, self.handler, (self.here)()));
            self.claim(zone);
            claim_letters(zone);
            zone
        })
    }

    /// The zone for those limits of the handler that count by `identifier`,
    /// apart from its other limits.
    pub fn apart(&'static self, identifier: &str) -> &'static str {
        intern(&format!("{}@{identifier}", self.get()))
    }

    /// Claims the zone for this handler. Two handlers of one name in two blocks of one function
    /// have the same path, and nothing that is stable across builds distinguishes them.
    fn claim(&'static self, zone: &'static str) {
        let this = ptr::from_ref(self).addr();
        let first = *CLAIMED.lock().entry(zone).or_insert(this);
        if first != this {
            log::error!(
                target: TARGET,
                "two handlers named `{}` share the default zone \"{zone}\", and so their counters: \
                 rename one of them, or give the attributes of one a `zone` of its own",
                self.handler
            );
        }
    }
}

/// Claims the letters by which keys in Redis name the zone.
fn claim_letters(zone: &'static str) {
    let Some(letters) = letters(zone) else {
        return;
    };
    let text = String::from_utf8_lossy(&letters);
    log::debug!(target: TARGET, "keys of the default zone \"{zone}\" have {text} for it");
    let first = *LETTERS.lock().entry(letters).or_insert(zone);
    if first != zone {
        log::error!(
            target: TARGET,
            "the default zones \"{first}\" and \"{zone}\" have the same letters {text} in keys, and \
             so the same counters in Redis: give the attributes of one handler a `zone` of its own"
        );
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
    // Actix's `#[get]` moves the handler into a function of the service type of that name.
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
            // A compiler may write type names differently.
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
