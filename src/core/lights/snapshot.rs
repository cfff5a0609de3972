//! A light at one moment.

use super::color::Shade;
use crate::core::model::name::TopicLevel;

/// A light, for the status page.
#[derive(Debug, Clone)]
pub struct LightSnapshot {
    /// The topic level.
    pub name: TopicLevel,
    /// Whom it follows.
    pub users: Vec<TopicLevel>,
    /// What it was told to show; nothing before the first time.
    pub shade: Option<Shade>,
    /// The topic that wins over presence, if one does.
    pub because: Option<String>,
    /// It shows presence, and nobody has paused it.
    pub follows: bool,
    /// It shows every state in turn now, whatever else it would show.
    pub is_tested: bool,
}
