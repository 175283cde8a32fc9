//! Draws horizontal bars, three for each case.

use std::path::Path;

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::tables::thousands;
use crate::{
    Result,
    case::{BASE, CONNECTIONS, Case, PEERS_IN_MEMORY, PEERS_REDIS},
    results::Results,
};

const WIDTH: i32 = 1000;
/// Left end of all bars, right of their names; and right end of the longest bar, left of its
/// figure.
const LEFT: i32 = 360;
const RIGHT: i32 = WIDTH - 70;
const TOP: i32 = 80;
const BAR: i32 = 10;
const GROUP_GAP: i32 = 34;
const CASE_GAP: i32 = 8;

/// Darker shades for more connections, which print and colour-blind readers can tell apart. This
/// crate is blue, other limiters are orange, no limit is grey.
type Shades = [RGBColor; 3];
const BLUE: Shades = [
    RGBColor(158, 202, 225),
    RGBColor(66, 146, 198),
    RGBColor(8, 69, 148),
];
const ORANGE: Shades = [
    RGBColor(253, 208, 162),
    RGBColor(241, 105, 19),
    RGBColor(140, 45, 4),
];
const GREY: Shades = [
    RGBColor(189, 189, 189),
    RGBColor(130, 130, 130),
    RGBColor(82, 82, 82),
];
const INK: RGBColor = RGBColor(36, 41, 47);
const FAINT: RGBColor = RGBColor(208, 215, 222);

pub(super) fn draw(results: &Results, path: &Path) -> Result<()> {
    let cases: Vec<_> = results.cases().collect();
    let longest = cases
        .iter()
        .flat_map(|case| CONNECTIONS.map(|n| results.rate(case.id, n).unwrap_or_default()))
        .fold(1.0, f64::max);
    let height = layout(&cases).last().map_or(0, |(_, bottom)| *bottom) + 40;
    let area =
        SVGBackend::new(path, (WIDTH.unsigned_abs(), height.unsigned_abs())).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |words: &str, at, size: i32, anchor: HPos| {
        let style = ("sans-serif", size).into_font().color(&INK);
        Text::new(
            words.to_owned(),
            at,
            style.pos(Pos::new(anchor, VPos::Center)),
        )
    };
    area.draw(&text(
        "Requests a second, by connections (more is better)",
        (20, 26),
        18,
        HPos::Left,
    ))?;
    for (index, (colour, connections)) in GREY.iter().zip(CONNECTIONS).enumerate() {
        let x = LEFT + i32::try_from(index)? * 70;
        area.draw(&Rectangle::new([(x, 46), (x + 12, 58)], colour.filled()))?;
        area.draw(&text(
            &connections.to_string(),
            (x + 18, 52),
            13,
            HPos::Left,
        ))?;
    }

    let x_of = |rate: f64| LEFT + scaled(rate / longest, RIGHT - LEFT);
    let step = tick(longest);
    let mut at = 0.0;
    while at <= longest {
        let x = x_of(at);
        area.draw(&PathElement::new(vec![(x, TOP), (x, height - 30)], FAINT))?;
        area.draw(&text(&thousands(at), (x, height - 16), 12, HPos::Center))?;
        at += step;
    }
    let mut group = "";
    for (case, (top, bottom)) in cases.iter().zip(layout(&cases)) {
        if case.group != group {
            group = case.group;
            area.draw(&text(group, (20, top - 14), 14, HPos::Left))?;
        }
        area.draw(&text(
            case.title,
            (LEFT - 8, (top + bottom) / 2),
            13,
            HPos::Right,
        ))?;
        for (index, (colour, connections)) in shades(case).iter().zip(CONNECTIONS).enumerate() {
            let Some(rate) = results.rate(case.id, connections) else {
                continue;
            };
            let y = top + i32::try_from(index)? * BAR;
            let x = x_of(rate);
            area.draw(&Rectangle::new(
                [(LEFT, y), (x, y + BAR - 1)],
                colour.filled(),
            ))?;
            area.draw(&text(
                &thousands(rate),
                (x + 4, y + BAR / 2),
                10,
                HPos::Left,
            ))?;
        }
    }
    area.present()?;
    Ok(())
}

fn shades(case: &Case) -> Shades {
    match case.group {
        BASE => GREY,
        PEERS_IN_MEMORY | PEERS_REDIS => ORANGE,
        _ => BLUE,
    }
}

/// Returns the top and the bottom of each case's bars.
fn layout(cases: &[&Case]) -> Vec<(i32, i32)> {
    let (mut y, mut group) = (TOP, "");
    let bars = |case: &&Case| {
        y += if case.group == group {
            CASE_GAP
        } else {
            GROUP_GAP
        };
        group = case.group;
        let top = y;
        y += BAR * 3;
        (top, y)
    };
    cases.iter().map(bars).collect()
}

/// Returns the distance of two grid lines: 1, 2 or 5 times a power of ten, for at most seven lines.
fn tick(longest: f64) -> f64 {
    let rough = longest / 6.0;
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of the width, in pixels"
)]
fn scaled(part: f64, width: i32) -> i32 {
    (part * f64::from(width)).round() as i32
}
