//! [`Observer`], which applications implement, and [`Observers`], to which the engine reports.

#[cfg(feature = "config")]
use std::sync::Weak;
use std::{fmt, sync::Arc};

use super::{event::Event, trace};

/// An observer hears what a limiter does: its decisions, refunds, waits, changes of its circuit and
/// its configuration. [`Builder::observer`](crate::Builder::observer) takes it.
///
/// It is called on the thread of the request and before the request goes on. So it must be quick,
/// must not block and must not panic: count, or send the event elsewhere. It cannot change a
/// decision. It is called under no lock of the limiter or its configuration, so it may use both.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// use actix_throttle::{DecisionResult, Event, Limit, Observer, RateLimiter};
///
/// #[derive(Default)]
/// struct Denials(AtomicU64);
///
/// impl Observer for Denials {
///     fn observe(&self, event: &Event<'_>) {
///         if let Event::Decided(decided) = event
///             && decided.result() == DecisionResult::Denied
///         {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// const LOGIN: Limit = Limit::per_minute(1).name("login");
///
/// let denials = Arc::new(Denials::default());
/// let limiter = RateLimiter::builder()
///     .memory()
///     .observer(Arc::clone(&denials))
///     .build()
///     .await?;
/// limiter.check(&LOGIN, "ann").await?;
/// limiter.check(&LOGIN, "ann").await?;
/// assert_eq!(denials.0.load(Ordering::Relaxed), 1);
/// # Ok(()) }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Hears an event, after it has happened.
    fn observe(&self, event: &Event<'_>);
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event<'_>) {
        (**self).observe(event);
    }
}

/// The observers of one limiter. A cheap handle.
///
/// An event costs one branch if there is no observer: it is not even built.
#[derive(Clone, Default)]
pub(crate) struct Observers(Option<Arc<[Box<dyn Observer>]>>);

/// Observers that may be gone with their limiter.
#[cfg(feature = "config")]
#[derive(Clone)]
pub(super) struct WeakObservers(Weak<[Box<dyn Observer>]>);

impl Observers {
    pub(crate) fn new(observers: Vec<Box<dyn Observer>>) -> Self {
        Self((!observers.is_empty()).then(|| observers.into()))
    }

    /// Whether there are any, or a subscriber or logger wants events.
    #[inline]
    pub(crate) fn is_heard(&self) -> bool {
        self.0.is_some() | trace::is_heard()
    }

    /// Tells an event to every observer, and traces it. `event` is not called if there is no
    /// listener.
    #[inline]
    pub(crate) fn tell<'e>(&self, event: impl FnOnce() -> Event<'e>) {
        if self.is_heard() {
            self.tell_event(&event());
        }
    }

    fn tell_event(&self, event: &Event<'_>) {
        trace::trace(event);
        for observer in self.0.iter().flat_map(|observers| observers.iter()) {
            observer.observe(event);
        }
    }

    #[cfg(feature = "config")]
    pub(super) fn downgrade(&self) -> Option<WeakObservers> {
        self.0
            .as_ref()
            .map(|observers| WeakObservers(Arc::downgrade(observers)))
    }
}

#[cfg(feature = "config")]
impl WeakObservers {
    pub(super) fn upgrade(&self) -> Option<Observers> {
        self.0.upgrade().map(|observers| Observers(Some(observers)))
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.as_ref().map_or(0, |observers| observers.len());
        f.debug_tuple("Observers").field(&number).finish()
    }
}
