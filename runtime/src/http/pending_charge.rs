//! Costs that are known later: the [`PendingCharge`] extractor. The guard offers the charges that
//! it may settle, with the request.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use futures_util::future::join_all;
use smallvec::SmallVec;

use crate::engine::PendingCharges;

/// The estimate that limits with `settle` have charged a request: its handler corrects it once the
/// true cost is known.
///
/// It is `'static`, so that it may move into a task or into the stream of the response's body.
/// Until it is settled, the estimate counts; if it is dropped unsettled, as when the client leaves
/// or the process ends, the estimate stands.
///
/// Its extraction never fails. For a request that no such limit has charged,
/// [`estimate`](Self::estimate) is 0 and [`settle`](Self::settle) changes nothing: the limit was
/// skipped, its group is unlimited, or the store could not decide and the request was admitted by
/// the failure mode `Open`. The `default`, for unit tests, is such a charge, too.
///
/// ```
/// use actix_throttle::{PendingCharge, rate_limit};
/// use actix_web::{HttpResponse, post, web::Bytes};
/// use futures_util::{StreamExt, stream};
///
/// #[post("/chat")]
/// #[rate_limit("10000/minute", cost = 500, settle)]
/// async fn chat(charge: PendingCharge) -> HttpResponse {
///     let parts = ["a streamed ", "answer"].map(|part| Ok(Bytes::from(part)));
///     let end = async move {
///         charge.settle(321).await;
///         Ok::<_, actix_web::Error>(Bytes::new())
///     };
///     HttpResponse::Ok().streaming(stream::iter(parts).chain(stream::once(end)))
/// }
/// # let _ = chat;
/// ```
#[derive(Debug, Default)]
#[must_use = "dropped unsettled, the estimate stands"]
pub struct PendingCharge(Offered);

/// The charges that the handler of a request may settle.
#[derive(Clone, Debug, Default)]
struct Offered {
    charges: SmallVec<[PendingCharges; 1]>,
    /// Whether there is a charge that cannot be settled, as the log says.
    is_refused: bool,
}

/// Offers charges to the handler of this request.
pub(super) fn offer(request: &HttpRequest, pending: &PendingCharges) {
    change(request, |offered| offered.charges.push(pending.clone()));
}

/// Records that the request has a charge that cannot be settled. The caller has logged why.
pub(super) fn refuse(request: &HttpRequest) {
    change(request, |offered| offered.is_refused = true);
}

fn change(request: &HttpRequest, change: impl FnOnce(&mut Offered)) {
    let mut extensions = request.extensions_mut();
    if let Some(offered) = extensions.get_mut() {
        return change(offered);
    }
    let mut offered = Offered::default();
    change(&mut offered);
    extensions.insert(offered);
}

/// Whether the handler of this request has anything to settle.
pub(super) fn is_offered(request: &HttpRequest) -> bool {
    let extensions = request.extensions();
    let offered = extensions.get::<Offered>();
    offered.is_some_and(|offered| !offered.charges.is_empty())
}

impl PendingCharge {
    /// Returns what was charged; the largest cost, if the limits have several; 0 if there is
    /// nothing to settle.
    #[must_use]
    pub fn estimate(&self) -> u32 {
        let estimates = self.0.charges.iter().map(PendingCharges::estimate);
        estimates.max().unwrap_or(0)
    }

    /// Corrects the charge: each limit with `settle` counts `actual` in place of the estimate, in
    /// the window that took it, as if that had been the cost from the beginning.
    ///
    /// The difference to a lower cost is refunded. A higher cost is charged though there may be no
    /// room: the counter is then in debt. It admits nothing, `remaining` is 0, and `Retry-After`
    /// says when the debt is gone. What has left its window counts no more, and nothing changes.
    ///
    /// A charge is settled at most once, however often it is extracted. If the response's status is
    /// one of [`refund_on`](crate::Rule::refund_on), the charge is refunded, at what it was settled
    /// if it was; after that it cannot be settled. An estimate of 0 takes nothing when the request
    /// comes, and is charged when it is settled.
    ///
    /// If the call is awaited before the response, the response's headers show it.
    ///
    /// Returns `false`, and changes nothing, if the charge was settled or refunded before. Returns
    /// `false` as well if the store could not be told, or did not confirm it in time, which is
    /// logged: the estimate may stand then, or `actual` may count, and a refund returns the
    /// smaller of the two. The store takes no longer for it than for a decision.
    ///
    /// Returns `false`, at an estimate of 0, if the handler's limits cannot be settled, which is
    /// logged, too: none of them has `settle`, or one that has it turns out to have a `lease` or to
    /// be a concurrency limit.
    ///
    /// Returns `true` if there was nothing to settle, because no such limit has charged the
    /// request: it was skipped, or its group is unlimited, or a middleware has exempted the
    /// request, or the request was admitted without a charge while the store was away
    /// (`failure_mode = "open"`).
    ///
    /// A middleware and an attribute, or two middlewares, have a charge each. All of them are
    /// settled that can be, and it is `false` if one of them was not.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the settlement is carried out even if the future is dropped.
    pub async fn settle(self, actual: u32) -> bool {
        // There is one for each middleware and for the attribute, and mostly one in all.
        let Offered {
            charges,
            is_refused,
        } = &self.0;
        let settled = join_all(charges.iter().map(|pending| pending.settle(actual))).await;
        !is_refused && settled.into_iter().all(|is_settled| is_settled)
    }
}

impl FromRequest for PendingCharge {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let offered = extensions.get::<Offered>();
        ready(Ok(Self(offered.cloned().unwrap_or_default())))
    }
}
