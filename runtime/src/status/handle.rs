//! The handling of a request: its access, then what it asks for. The page's service calls it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderValue},
    },
    web,
};

use super::{
    access::Access,
    change::{change, confirm},
    form::Form,
    origin,
    query::{PageView, Query},
    reset_policy::{confirm_reset, reset_policy},
    response::{json, page, see, text},
    target::Target,
    view,
    visit::Visit,
};
use crate::{engine::log_throttle::TARGET, limiter::RateLimiter};

/// Responds to a request that may see and do what `access` says.
pub(super) async fn handle(
    request: HttpRequest,
    body: web::Payload,
    access: Access,
) -> HttpResponse {
    if access == Access::Forbidden {
        return text(StatusCode::FORBIDDEN, "Forbidden\n");
    }
    let Some(limiter) = RateLimiter::for_request(&request) else {
        log::error!(
            target: TARGET,
            "a status page shows no limiter: call `RateLimiter::init`, or give one to the app by \
             `app_data`"
        );
        return text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "There is no limiter to show.\n",
        );
    };
    let query = Query::parse(request.query_string());
    let visit = Visit {
        request: &request,
        limiter: &limiter,
        access,
        query: &query,
    };
    match *request.method() {
        Method::GET | Method::HEAD => visit.view().await,
        Method::POST if !origin::is_own(&request) => visit.fail(
            StatusCode::FORBIDDEN,
            "This form was not sent by the page itself. If it was, then a proxy in between changes \
             the header Host: let it pass the one of the browser on.",
        ),
        Method::POST => match Form::read(&request, body).await {
            Ok(form) => visit.post(&form).await,
            Err(error) => visit.fail(StatusCode::BAD_REQUEST, &error),
        },
        _ => {
            let response = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "The page knows GET and POST.\n",
            );
            allowing(response, "GET, HEAD, POST")
        }
    }
}

impl Visit<'_> {
    async fn view(&self) -> HttpResponse {
        let Self { query, .. } = self;
        match &query.view {
            PageView::Overview => {
                let snapshot = self.snapshot();
                if query.is_json {
                    json(StatusCode::OK, &snapshot)
                } else {
                    page(StatusCode::OK, view::overview(&self.page(), &snapshot))
                }
            }
            PageView::Policy(name) => {
                let snapshot = self.snapshot();
                match snapshot.policies.iter().find(|policy| policy.name == name) {
                    None => self.no_policy(),
                    Some(policy) if query.is_json => json(StatusCode::OK, policy),
                    Some(policy) => {
                        let markup = view::policy(&self.page(), policy, snapshot.taken_at);
                        page(StatusCode::OK, markup)
                    }
                }
            }
            PageView::Configuration => {
                let snapshot = self.snapshot();
                let configuration = snapshot.configuration.as_ref();
                if query.is_json {
                    json(StatusCode::OK, &configuration)
                } else {
                    let text = self.limiter.engine().configuration_text();
                    let text = text.filter(|_| self.access == Access::Full);
                    let now = snapshot.taken_at;
                    let markup =
                        view::configuration(&self.page(), configuration, text.as_deref(), now);
                    page(StatusCode::OK, markup)
                }
            }
            PageView::Find if query.is_json => self.fail(
                StatusCode::BAD_REQUEST,
                "Name the identity: `?identity=...`, or `identity=...` in a form.",
            ),
            PageView::Find => page(StatusCode::OK, view::find(&self.page(), "", None)),
            PageView::Identity(written) => match Target::find(self.limiter, written) {
                Ok(target) => self.identity(&target).await,
                Err(error) => self.not_found(written, &error),
            },
            PageView::Reset(policy) => confirm_reset(self, policy),
            PageView::Change => see("?"),
            PageView::Unknown => self.fail(StatusCode::NOT_FOUND, "There is no such view."),
        }
    }

    async fn post(&self, form: &Form) -> HttpResponse {
        match &self.query.view {
            PageView::Find => match Target::find(self.limiter, &form.identity) {
                // The address has no secret in it, and can be loaded again.
                Ok(target) if target.has_address() && !self.query.is_json => {
                    see(&view::identity_address(&target.text))
                }
                Ok(target) => self.identity(&target).await,
                Err(error) => self.not_found(&form.identity, &error),
            },
            PageView::Change if !self.may_change() => self.may_only_look(),
            PageView::Change => match Target::find(self.limiter, &form.identity) {
                Ok(target) if form.confirmed == "yes" => change(self, form, &target).await,
                Ok(target) => confirm(self, form, &target).await,
                Err(error) => self.not_found(&form.identity, &error),
            },
            PageView::Reset(policy) => reset_policy(self, form, policy).await,
            _ => allowing(
                self.fail(StatusCode::METHOD_NOT_ALLOWED, "This view takes no form."),
                "GET, HEAD",
            ),
        }
    }
}

/// Adds the methods that are allowed, as a 405 must
/// ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6)).
fn allowing(mut response: HttpResponse, methods: &'static str) -> HttpResponse {
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, methods);
    response
}
