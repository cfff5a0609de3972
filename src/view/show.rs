//! Showing a picture while it changes: drawn in place, or a line for each piece of news.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::frame::{Around, Layout, frame};
use super::line::{Ink, Line};
use super::picture::Picture;
use super::screen::{Screen, Size};
use crate::core::model::name::TopicLevel;
use crate::core::model::time::whole_seconds;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// From a message to the drawing: a change comes in several messages, and many changes may come at once.
const SOON: Duration = Duration::from_millis(50);

/// Between two drawings without a change: `since` counts on.
const SECOND: Duration = Duration::from_secs(1);

/// Nothing more is retained when nothing retained has come for this long.
const QUIET: Duration = Duration::from_millis(500);

/// For everything that is retained; what comes later is news.
const AT_MOST: Duration = Duration::from_secs(15);

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Drawn in place, on a terminal that can; else lines.
    pub live: bool,
    /// With colours.
    pub colours: bool,
    /// Whether lines begin with the time at which they were heard.
    pub timed: bool,
}

/// A picture and where it is shown.
pub struct Show<'o, Out> {
    picture: Picture,
    names: BTreeMap<TopicLevel, String>,
    /// Topics that are asked for one by one where a subscription with wildcards brings nothing, and whether
    /// they brought more.
    named: Vec<String>,
    is_by_name: bool,
    lost: Option<String>,
    look: Look,
    /// Lines above the picture.
    heading: Vec<String>,
    /// Lines that are typed: each turns a page.
    typed: Option<mpsc::Receiver<String>>,
    /// Who is shown first.
    first: usize,
    layout: Layout,
    screen: Screen,
    out: &'o mut Out,
}

/// Why nothing is shown any more.
#[derive(Debug, thiserror::Error)]
pub enum ShowEnd {
    /// The connection to the broker ended.
    #[error(transparent)]
    Broker(#[from] OneShotError),
    /// There is nobody to show it to.
    #[error(transparent)]
    Out(#[from] io::Error),
}

impl<'o, Out: Write> Show<'o, Out> {
    /// Shows nothing yet.
    pub fn new(picture: Picture, names: BTreeMap<TopicLevel, String>, look: Look, out: &'o mut Out) -> Self {
        Self {
            picture,
            names,
            named: Vec::new(),
            is_by_name: false,
            lost: None,
            look,
            heading: Vec::new(),
            typed: None,
            first: 0,
            layout: Layout::default(),
            screen: Screen::default(),
            out,
        }
    }

    /// Asks for these topics one by one where a subscription with wildcards brings nothing.
    #[must_use]
    pub fn asking_for(self, named: Vec<String>) -> Self {
        Self { named, ..self }
    }

    /// With these lines above, which stay there.
    #[must_use]
    pub fn headed(self, heading: Vec<String>) -> Self {
        Self { heading, ..self }
    }

    /// Shows the next people at each line that is typed, where there is no room for all.
    #[must_use]
    pub fn turning(self, typed: mpsc::Receiver<String>) -> Self {
        Self { typed: Some(typed).filter(|_| self.look.live), ..self }
    }

    /// Whether the broker answers only topics one by one with what is retained.
    #[must_use]
    pub fn is_by_name(&self) -> bool {
        self.is_by_name
    }

    /// Takes what is retained and all that comes until that is through, in the place of what was known
    /// before.
    ///
    /// # Errors
    ///
    /// If the connection ends, or nobody reads any more.
    pub async fn gather(&mut self, broker: &mut OneShot) -> Result<(), ShowEnd> {
        let mut fresh = self.picture.afresh();
        let named = self.named.clone();
        self.is_by_name = self.while_drawing(retained(&mut fresh, &named, broker)).await??;
        let before = std::mem::replace(&mut self.picture, fresh);
        let was_lost = self.lost.take().is_some();
        let mut news = if was_lost { vec!["connected to the broker again".to_owned()] } else { Vec::new() };
        news.extend(self.picture.news(&before));
        self.tell(&news)
    }

    /// Does the same and shows nothing of it yet.
    ///
    /// # Errors
    ///
    /// If the connection ends.
    pub async fn gather_quietly(&mut self, broker: &mut OneShot) -> Result<(), ShowEnd> {
        self.is_by_name = retained(&mut self.picture, &self.named, broker).await?;
        Ok(())
    }

    /// Shows what comes until the connection ends.
    ///
    /// # Errors
    ///
    /// Always: with the end.
    pub async fn listen(&mut self, broker: &mut OneShot) -> ShowEnd {
        match self.listen_on(broker).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn listen_on(&mut self, broker: &mut OneShot) -> Result<std::convert::Infallible, ShowEnd> {
        self.draw()?;
        let mut due = std::pin::pin!(sleep(SECOND));
        let mut changed = false;
        loop {
            tokio::select! {
                message = broker.message() => {
                    let news = self.picture.take(&message?);
                    self.print(&news)?;
                    if !std::mem::replace(&mut changed, true) {
                        due.set(sleep(SOON));
                    }
                }
                () = &mut due => {
                    self.draw()?;
                    changed = false;
                    due.set(sleep(SECOND));
                }
                () = next_typed(&mut self.typed) => {
                    self.first = self.layout.next;
                    self.screen.line_typed();
                    self.draw()?;
                }
            }
        }
    }

    /// Says that the connection is lost, and why.
    ///
    /// # Errors
    ///
    /// If nobody reads any more.
    pub fn lost(&mut self, why: &str) -> Result<(), ShowEnd> {
        let first = self.lost.is_none();
        self.lost = Some(why.to_owned());
        let news = format!("no connection to the broker: {why}; trying again");
        self.tell(if first { std::slice::from_ref(&news) } else { &[] })
    }

    /// Waits for something while what is shown goes on counting.
    ///
    /// # Errors
    ///
    /// If nobody reads any more.
    pub async fn while_drawing<T>(&mut self, future: impl Future<Output = T>) -> Result<T, ShowEnd> {
        let mut future = std::pin::pin!(future);
        loop {
            match timeout(SECOND, &mut future).await {
                Ok(done) => return Ok(done),
                Err(_) => self.draw()?,
            }
        }
    }

    /// Prints the whole picture once, at whatever length.
    ///
    /// # Errors
    ///
    /// If nobody reads.
    pub fn print_all(&mut self) -> Result<(), ShowEnd> {
        let width = self.look.live.then(|| Size::of_terminal().width);
        let lines = self.lines(width, None);
        for line in lines {
            writeln!(self.out, "{line}")?;
        }
        Ok(self.out.flush()?)
    }

    /// Leaves the terminal as whoever comes next expects it.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn end(&mut self) -> Result<(), ShowEnd> {
        if self.look.live {
            // Below the "^C" that the terminal shows.
            writeln!(self.out)?;
        }
        Ok(self.out.flush()?)
    }

    fn tell(&mut self, news: &[String]) -> Result<(), ShowEnd> {
        self.print(news)?;
        self.draw()
    }

    fn print(&mut self, news: &[String]) -> Result<(), ShowEnd> {
        if self.look.live || news.is_empty() {
            return Ok(());
        }
        for line in news {
            if self.look.timed {
                write!(self.out, "{} ", whole_seconds(now()))?;
            }
            writeln!(self.out, "{line}")?;
        }
        Ok(self.out.flush()?)
    }

    fn draw(&mut self) -> Result<(), ShowEnd> {
        if !self.look.live {
            return Ok(());
        }
        let size = Size::of_terminal();
        // The last line is the cursor's.
        let height = size.height.saturating_sub(1 + self.heading.len());
        let people = self.lines(Some(size.width), Some(height));
        let heading =
            self.heading.iter().map(|line| Line::of(line, Ink::Plain).render(Some(size.width), false));
        let lines: Vec<String> = heading.chain(people).collect();
        Ok(self.screen.draw(&lines, size, self.out)?)
    }

    fn lines(&mut self, width: Option<usize>, height: Option<usize>) -> Vec<String> {
        let (names, first, turns) = (&self.names, self.first, self.typed.is_some());
        let around = Around { names, lost: self.lost.as_deref(), now: now(), width, height, first, turns };
        let lines = frame(&self.picture, &around, &mut self.layout);
        lines.iter().map(|line| line.render(width, self.look.colours)).collect()
    }
}

/// Waits for the next line that is typed: for ever where nothing is.
async fn next_typed(typed: &mut Option<mpsc::Receiver<String>>) {
    let line = match typed {
        Some(lines) => lines.recv().await,
        None => None,
    };
    if line.is_none() {
        *typed = None;
        std::future::pending::<()>().await;
    }
}

/// Takes what is retained, and all that comes until that is through; where that is nothing, what is retained
/// at these topics. Whether they brought more.
async fn retained(
    picture: &mut Picture,
    named: &[String],
    broker: &mut OneShot,
) -> Result<bool, OneShotError> {
    let mut quiet = std::pin::pin!(sleep(QUIET));
    let all = async {
        loop {
            tokio::select! {
                message = broker.message() => {
                    let message = message?;
                    // What is not retained says nothing about the rest: a busy broker is never quiet.
                    if message.retained {
                        quiet.set(sleep(QUIET));
                    }
                    picture.take(&message);
                }
                () = &mut quiet => return Ok::<(), OneShotError>(()),
            }
        }
    };
    timeout(AT_MOST, all).await.unwrap_or(Ok(()))?;
    if !picture.is_empty() || named.is_empty() {
        return Ok(false);
    }
    broker.all_retained(named).await?.iter().for_each(|message| drop(picture.take(message)));
    Ok(!picture.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "`since` is counted by the clock of this edge")]
fn now() -> Timestamp {
    Timestamp::now()
}
