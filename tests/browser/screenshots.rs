//! Pictures of what a person sees: in light and dark, on a wide screen and on a phone. They are
//! kept in `target/screenshots`. With `UPDATE=1`, one of them becomes the picture of the README.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    browser::{Browser, with_browser},
    service::Service,
};

/// A picture of the page, as it is on the screen.
struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    samples: usize,
}

impl Picture {
    /// Takes it, and keeps it under this name.
    async fn take(browser: &Browser, name: &str) -> Self {
        let png = browser.0.screenshot().await.expect("a picture");
        let folder = root().join("target/screenshots");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("{name}.png")), &png).expect("a file");
        Self::read(&png)
    }

    fn read(png: &[u8]) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a frame");
        Self {
            width: info.width,
            height: info.height,
            pixels,
            samples: info.color_type.samples(),
        }
    }

    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let start = (y * self.width + x) as usize * self.samples;
        self.pixels[start..start + 3]
            .try_into()
            .expect("three colours")
    }

    /// The share of pixels that have about this colour, in thousandths.
    fn share(&self, colour: [u8; 3]) -> usize {
        let is_near = |pixel: &&[u8]| {
            let distance = |index: usize| pixel[index].abs_diff(colour[index]);
            (0..3).all(|index| distance(index) < 8)
        };
        let near = self.pixels.chunks(self.samples).filter(is_near).count();
        near * 1_000 / (self.width * self.height) as usize
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[actix_web::test]
async fn readme_shows_the_overview() {
    let service = Service::start().await;
    service.traffic().await;
    let page = service.page();
    with_browser(async |browser| {
        browser.look(1000, 640, "light").await;
        browser.go(&page).await;
        let taken = Picture::take(&browser, "readme").await;
        let shown = root().join("docs/status-page.png");
        if env::var_os("UPDATE").is_some() {
            fs::copy(root().join("target/screenshots/readme.png"), &shown).expect("a copy");
        }
        let png = fs::read(&shown).expect("UPDATE=1 makes the picture of the README");
        let shown = Picture::read(&png);
        assert_eq!((shown.width, shown.height), (taken.width, taken.height));
        // Fonts differ from machine to machine, colours do not.
        for colour in [[0xf6, 0xf7, 0xf9], [0xd5, 0x53, 0x4b]] {
            let (shown, taken) = (shown.share(colour), taken.share(colour));
            let message = format!("{colour:?}: {shown} and {taken}; UPDATE=1 makes a new picture");
            assert!(shown.abs_diff(taken) < 100, "{message}");
        }
        let readme = fs::read_to_string(root().join("README.md")).expect("a README");
        assert!(readme.contains("(docs/status-page.png)"));
    })
    .await;
}

#[actix_web::test]
async fn page_is_readable_in_light_and_dark_and_on_a_phone() {
    let service = Service::start().await;
    service.traffic().await;
    let page = service.page();
    with_browser(async |browser| {
        let views = [
            ("overview", String::new()),
            ("policy", "?policy=login".to_owned()),
            ("identity", "?identity=ip%3D203%2E0%2E113%2E66".to_owned()),
            ("find", "?view=find".to_owned()),
        ];
        for (scheme, background, denied) in [
            ("light", [0xf6, 0xf7, 0xf9], [0xd5, 0x53, 0x4b]),
            ("dark", [0x12, 0x16, 0x1c], [0xe0, 0x66, 0x5e]),
        ] {
            for (device, width, height) in [("wide", 1100, 900), ("phone", 390, 844)] {
                browser.look(width, height, scheme).await;
                for (view, query) in &views {
                    browser.go(&format!("{page}{query}")).await;
                    let name = format!("{view}-{device}-{scheme}");
                    let picture = Picture::take(&browser, &name).await;
                    assert_eq!(picture.width, width, "{name}");
                    assert_eq!(picture.at(2, 2), background, "{name}");
                    if *view == "policy" {
                        assert!(picture.share(denied) > 2, "{name}: the chart shows denials");
                    }
                    let overflow = "return document.documentElement.scrollWidth - innerWidth";
                    let overflow = browser.ask(overflow).await.as_i64().expect("a number");
                    assert!(overflow <= 0, "{name}: {overflow} pixels too wide");
                    let smallest = "return Math.min(...[...document.querySelectorAll('body *')]\
                        .filter(it => it.checkVisibility() && it.textContent.trim() \
                            && !it.closest('svg'))\
                        .map(it => parseFloat(getComputedStyle(it).fontSize)))";
                    let smallest = browser.ask(smallest).await.as_f64().expect("a number");
                    assert!(smallest >= 11.0, "{name}: a text of {smallest} pixels");
                }
            }
        }
    })
    .await;
}
