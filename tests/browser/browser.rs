//! A browser, and what the tests ask of it.

use std::{future::Future, time::Duration};

use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use harness::{Chromedriver, eventually_async};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// Bound for whatever a browser does on a busy machine.
const BOUND: Duration = Duration::from_secs(60);

pub struct Browser(pub Client);

/// Whether the page of an element was replaced in the middle of a command. Chromium has no error of
/// its own for that.
fn is_replaced(error: &CmdError) -> bool {
    error
        .to_string()
        .contains("does not belong to the document")
}

/// Runs a test with a browser, which is closed however the test ends.
pub async fn with_browser<F: Future<Output = ()>>(test: impl FnOnce(Browser) -> F) {
    // It closes its browser when it is dropped, also at the end of a test that has panicked.
    let driver = Chromedriver::start();
    // The path has no `..`, which Chromium refuses.
    let folder = driver.folder.canonicalize().expect("the driver's folder");
    let arguments = [
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--user-data-dir={}", folder.join("profile").display()),
    ];
    let options = json!({
        "goog:chromeOptions": { "args": arguments, "binary": Chromedriver::browser() },
        "timeouts": { "pageLoad": BOUND.as_millis() as u64 },
    });
    let Value::Object(capabilities) = options else {
        unreachable!("an object is written above");
    };
    let capabilities: Capabilities = capabilities;
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&driver.address())
        .await
        .expect("a browser");
    test(Browser(client.clone())).await;
    client.close().await.expect("an open browser");
    drop(driver);
}

impl Browser {
    pub async fn go(&self, address: &str) {
        self.0.goto(address).await.expect("a page");
    }

    /// Waits for an element.
    pub async fn find(&self, css: &str) -> Element {
        let found = self
            .0
            .wait()
            .at_most(BOUND)
            .for_element(Locator::Css(css))
            .await;
        found.unwrap_or_else(|error| panic!("no {css}: {error}"))
    }

    pub async fn click(&self, css: &str) {
        self.find(css)
            .await
            .click()
            .await
            .expect("it can be clicked");
    }

    pub async fn click_link(&self, text: &str) {
        let link = self
            .0
            .wait()
            .at_most(BOUND)
            .for_element(Locator::LinkText(text))
            .await;
        let link = link.unwrap_or_else(|error| panic!("no link {text}: {error}"));
        link.click().await.expect("it can be clicked");
    }

    pub async fn write(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    /// The text of the page as a person sees it. A page that loads itself may be replaced between
    /// the look for its body and the reading of it: then the next page is read.
    pub async fn text(&self) -> String {
        for _ in 0..10 {
            match self.find("body").await.text().await {
                Ok(text) => return text,
                Err(error) if error.is_stale_element_reference() || is_replaced(&error) => {}
                Err(error) => panic!("a text: {error}"),
            }
        }
        panic!("the page is replaced again and again")
    }

    /// Waits until the page shows a text.
    pub async fn shows(&self, text: &str) {
        let mut seen = String::new();
        for _ in 0..600 {
            seen = self.text().await;
            if seen.contains(text) {
                return;
            }
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no {text:?} in:\n{seen}");
    }

    pub async fn address(&self) -> String {
        self.0.current_url().await.expect("a page").to_string()
    }

    /// Returns what a script of the driver finds out about the page, which itself runs none.
    pub async fn ask(&self, script: &str) -> Value {
        self.0
            .execute(script, Vec::new())
            .await
            .expect("a script that runs")
    }

    /// Moves the clock of the page on by this time, with all timers that are due by then, and stops
    /// it there. It comes last: a stopped page goes to no other address.
    pub async fn pass(&self, time: Duration) {
        let now = async || {
            let now = self.ask("return performance.now()").await;
            now.as_f64().expect("milliseconds")
        };
        let millis = time.as_secs_f64() * 1_000.0;
        let end = now().await + millis;
        let policy = json!({ "policy": "pauseIfNetworkFetchesPending", "budget": millis });
        self.command("Emulation.setVirtualTimePolicy", policy).await;
        let has_passed = async || now().await >= end;
        eventually_async("the page's clock has moved on", BOUND, has_passed).await;
    }

    /// Sets the size of the window and the scheme of colours that the person prefers.
    pub async fn look(&self, width: u32, height: u32, scheme: &str) {
        let is_phone = width < 600;
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone,
        });
        self.command("Emulation.setDeviceMetricsOverride", size)
            .await;
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.command(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        )
        .await;
    }

    async fn command(&self, command: &'static str, parameters: Value) {
        let command = DevTools {
            command,
            parameters,
        };
        self.0
            .issue_cmd(command)
            .await
            .expect("a command of the browser");
    }
}

/// A command of the browser's own protocol, by its driver.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (http::Method::POST, Some(body.to_string()))
    }
}
