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
/// It never fails. For a request that no such limit has charged, [`estimate`](Self::estimate) is 0
/// and [`settle`](Self::settle) changes nothing: the limit was skipped, its group is unlimited, or
/// the store could not decide and the request was admitted by the failure mode `Open`. The
/// `default`, for unit tests, is such a charge, too.
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
pub struct PendingCharge(SmallVec<[PendingCharges; 1]>);

/// The charges that the handler of a request may settle.
#[derive(Default)]
struct Offered(SmallVec<[PendingCharges; 1]>);

/// Offers charges to the handler of this request.
pub(super) fn offer(request: &HttpRequest, pending: &PendingCharges) {
    let mut extensions = request.extensions_mut();
    match extensions.get_mut::<Offered>() {
        Some(Offered(offered)) => offered.push(pending.clone()),
        None => {
            extensions.insert(Offered(SmallVec::from_iter([pending.clone()])));
        }
    }
}

/// Whether the handler of this request has anything to settle.
pub(super) fn is_offered(request: &HttpRequest) -> bool {
    request.extensions().contains::<Offered>()
}

impl PendingCharge {
    /// Returns what was charged; the largest cost, if the limits have several.
    #[must_use]
    pub fn estimate(&self) -> u32 {
        let estimates = self.0.iter().map(PendingCharges::estimate);
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
    /// A middleware and an attribute, or two middlewares, have a charge each. All of them are
    /// settled that can be, and it is `false` if one of them was not.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the settlement is carried out even if the future is dropped.
    pub async fn settle(self, actual: u32) -> bool {
        // There is one for each middleware and for the attribute, and mostly one in all.
        let settled = join_all(self.0.iter().map(|pending| pending.settle(actual))).await;
        settled.into_iter().all(|is_settled| is_settled)
    }
}

impl FromRequest for PendingCharge {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let offered = extensions.get::<Offered>();
        ready(Ok(Self(
            offered.map_or_else(SmallVec::new, |offered| offered.0.clone()),
        )))
    }
}
