//! The picture as lines: the bridge, then everybody.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::bridge::Bridge;
use super::line::{Ink, Line, wrapped};
use super::person::Person;
use super::picture::{Doubt, Picture};
use super::table::{Widths, table};
use crate::core::model::name::TopicLevel;
use crate::core::model::word::Availability;
use crate::distance;

const TITLES: [&str; 6] = ["USER", "NAME", "AVAILABILITY", "ACTIVITY", "SINCE", "HEALTH"];

/// The place of the names among the columns, which is left out where nobody has one.
const NAME: usize = 1;

/// The place of the word that has the colours. What it is for is never left out.
const AVAILABILITY: usize = 2;

/// What is left out first where there is no room for all: the name, since when, and the activity.
const MAY_GO: [usize; 3] = [NAME, 4, 3];

/// What is shown besides the picture.
#[derive(Debug)]
pub struct Around<'a> {
    /// The names that people are shown under, as far as they are known.
    pub names: &'a BTreeMap<TopicLevel, String>,
    /// Why there is no connection, if there is none.
    pub lost: Option<&'a str>,
    /// What `since` counts from.
    pub now: Timestamp,
    /// Columns that there is room for; `None`: as many as it takes.
    pub width: Option<usize>,
    /// Lines that there is room for; `None`: as many as it takes.
    pub height: Option<usize>,
    /// Who is shown first, from 0 on, where there is no room for all.
    pub first: usize,
    /// Whether the page can be turned.
    pub turns: bool,
}

/// A person's line, with why it is in doubt.
struct Row {
    cells: [String; 6],
    ink: Ink,
}

/// What stays from one frame to the next.
#[derive(Debug, Default)]
pub struct Layout {
    /// Columns that there was room for.
    width: Option<usize>,
    widths: Widths,
    has_names: bool,
    /// Who comes on the next page.
    pub next: usize,
}

/// Lays out what is known.
#[must_use]
pub fn frame(picture: &Picture, around: &Around<'_>, layout: &mut Layout) -> Vec<Line> {
    if layout.width != around.width {
        *layout = Layout { width: around.width, ..Layout::default() };
    }
    let mut lines = Vec::new();
    if let Some(why) = around.lost {
        lines.extend(around.sentence(
            &format!("no connection to the broker: {why}; trying again"),
            "",
            Ink::Red,
        ));
    }
    for (called, bridge) in picture.bridges() {
        lines.extend(of_bridge(&called, bridge, around));
    }
    lines.push(Line::default());
    let people = picture.people().len();
    // The titles, and a line that says how many are left out.
    let missing: Vec<Line> = picture.missing().flat_map(|name| missing(name, around)).collect();
    let room =
        around.height.map_or(usize::MAX, |height| height.saturating_sub(lines.len() + missing.len() + 2));
    let first = if around.first < people { around.first } else { 0 };
    let to = people.min(first.saturating_add(room));
    layout.next = if to < people { to } else { 0 };
    let shown = picture.people().skip(first).take(room);
    let rows = shown.map(|(name, person)| Row::of(picture, name, person, around));
    lines.extend(table_of(&rows.collect::<Vec<_>>(), around.width, layout));
    if people == 0 && missing.is_empty() {
        lines.push(Line::of("no people on the broker yet, or this user may not read them", Ink::Dim));
    } else if people > room {
        let turn = if around.turns { "; Enter shows the next page" } else { "" };
        lines.push(Line::of(format!("{} to {to} of {people}{turn}", first + 1), Ink::Dim));
    }
    lines.extend(missing);
    lines
}

/// Somebody is asked for of whom nothing is there.
fn missing(name: &TopicLevel, around: &Around<'_>) -> Vec<Line> {
    around.sentence(&format!("{name} is not on the broker, or this user may not read it"), "", Ink::Yellow)
}

fn of_bridge(called: &str, bridge: Option<&Bridge>, around: &Around<'_>) -> Vec<Line> {
    let line = Line::of(format!("{called} "), Ink::Plain);
    let state = bridge.and_then(Bridge::state);
    let Some((bridge, state)) = bridge.zip(state) else {
        let why = "has not published yet; is it running, and may this user read its topics?";
        return vec![line.and(why, Ink::Yellow)];
    };
    let is_online = bridge.is_online() && around.lost.is_none();
    let verb = if around.lost.is_some() { "was" } else { "is" };
    let mut line = line.and(format!("{verb} {state}"), if is_online { Ink::Green } else { Ink::Red });
    let mut more = Vec::new();
    if let Some(health) = &bridge.health {
        let ink = match health.graph.as_str() {
            _ if !is_online => Ink::Dim,
            "ok" => Ink::Green,
            "starting" | "throttled" => Ink::Yellow,
            _ => Ink::Red,
        };
        let ago = health.since.map(|since| format!(" for {}", ago(since, around.now))).unwrap_or_default();
        line = line.and(", Graph ", Ink::Plain).and(format!("{}{ago}", health.graph), ink);
        more.extend(health.detail.iter().flat_map(|detail| around.sentence(detail, "  ", Ink::Plain)));
        let notices = health.notices.iter().map(|notice| format!("note: {notice}"));
        more.extend(notices.flat_map(|notice| around.sentence(&notice, "  ", Ink::Plain)));
    }
    more.extend(bridge.instances.iter().flat_map(|text| around.sentence(text, "  ", Ink::Plain)));
    more.extend(bridge.sign_in.iter().flat_map(|sign_in| around.sentence(sign_in, "  ", Ink::Yellow)));
    more.insert(0, line);
    more
}

impl Around<'_> {
    /// What somebody should read to the end is broken and not cut.
    fn sentence(&self, text: &str, indent: &str, ink: Ink) -> Vec<Line> {
        let width = self.width.map(|width| width.saturating_sub(indent.len()));
        let lines = wrapped(text, width).into_iter();
        lines.map(|line| Line::of(format!("{indent}{line}"), ink)).collect()
    }
}

impl Row {
    fn of(picture: &Picture, user: &TopicLevel, person: &Person, around: &Around<'_>) -> Self {
        let doubt = around.lost.map(|_| Doubt::NoConnection).or_else(|| picture.doubt(person));
        let health =
            doubt.as_ref().map_or_else(|| person.health.to_string(), |why| format!("in doubt: {why}"));
        let name = around.names.get(user).filter(|name| *name != user.as_str()).cloned();
        let cells = [
            user.to_string(),
            name.unwrap_or_default(),
            person.availability().to_owned(),
            person.activity().to_owned(),
            person.since().map(|since| ago(since, around.now)).unwrap_or_default(),
            health,
        ];
        // Not the colour alone: the word is there as well, and the health says the doubt.
        let ink = if doubt.is_some() { Ink::Dim } else { ink(person) };
        Self { cells, ink }
    }

    /// A line in doubt is dim; in another one, the colour is for one word.
    fn ink(&self, column: usize) -> Ink {
        match self.ink {
            Ink::Dim => Ink::Dim,
            Ink::Plain | Ink::Bold | Ink::Green | Ink::Yellow | Ink::Red | Ink::Magenta => {
                if column == AVAILABILITY { self.ink } else { Ink::Plain }
            }
        }
    }
}

fn table_of(rows: &[Row], width: Option<usize>, layout: &mut Layout) -> Vec<Line> {
    if rows.is_empty() {
        return Vec::new();
    }
    if !layout.has_names && rows.iter().any(|row| !row.cells[NAME].is_empty()) {
        (layout.has_names, layout.widths) = (true, Widths::default());
    }
    let shown: Vec<usize> = (0..TITLES.len()).filter(|&i| i != NAME || layout.has_names).collect();
    let titles: Vec<&str> = shown.iter().map(|&i| TITLES[i]).collect();
    let cells = |row: &Row| shown.iter().map(|&i| (row.cells[i].clone(), row.ink(i))).collect();
    let may_go = MAY_GO.iter().filter_map(|goes| shown.iter().position(|i| i == goes)).collect::<Vec<_>>();
    table(&titles, &rows.iter().map(cells).collect::<Vec<_>>(), width, &may_go, &mut layout.widths)
}

/// What people know from Teams.
fn ink(person: &Person) -> Ink {
    if person.activity() == "OutOfOffice" {
        return Ink::Magenta;
    }
    match Availability::from_graph(person.availability()) {
        Some(Availability::Available | Availability::AvailableIdle) => Ink::Green,
        Some(Availability::Busy | Availability::BusyIdle | Availability::DoNotDisturb) => Ink::Red,
        Some(Availability::Away | Availability::BeRightBack) => Ink::Yellow,
        Some(Availability::Offline | Availability::PresenceUnknown) | None => Ink::Plain,
    }
}

fn ago(since: Timestamp, now: Timestamp) -> String {
    distance::brief(now.as_second() - since.as_second())
}
