//! Anything else: a topic and a Jinja template of our user's own (template language: `docs.rs/minijinja`,
//! "syntax").

use std::iter;
use std::time::Duration;

use minijinja::{Error, Value, context};

use super::ear::{Ear, Means};
use super::order::{Announcement, Order};
use crate::core::lights::color::Color;
use crate::core::lights::look::{Effect, Lit, Look};
use crate::core::lights::template::{self, LONGEST_PAYLOAD, TemplateError};
use crate::core::model::presence::Shown;
use crate::core::model::word::{Activity, Availability, KnownActivity};

/// Every name that a template may use, as they are read to people.
const NAMES: &str = "color, red, green, blue, on, brightness, effect, user, availability, activity";

/// A device that is told what its template says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// It has rendered every state. It is short and rendered seldom, so it is kept as text and compiled when
    /// needed.
    template: Box<str>,
    online_topic: Option<Box<str>>,
}

impl Custom {
    /// A device behind a template of the payload, and the topic where it announces itself.
    ///
    /// # Errors
    /// If the template cannot be read, uses an unknown name anywhere, or fails for any state a light can be
    /// in: it is rendered for all of them.
    pub fn new(template: &str, online_topic: Option<String>) -> Result<Self, TemplateError> {
        template::check(template, NAMES)?;
        for look in every_look() {
            let payload = render(template, &look).map_err(|error| refusal(&error, &look))?;
            if payload.len() > LONGEST_PAYLOAD {
                return Err(TemplateError::TooLong { length: payload.len(), state: name_of(&look) });
            }
        }
        Ok(Self { template: template.into(), online_topic: online_topic.map(String::into_boxed_str) })
    }

    /// Nothing if the template fails, which [`Custom::new`] has ruled out as far as that can be done by
    /// trying.
    pub(super) fn order(&self, topic: &str, look: &Look) -> Option<Order> {
        let payload = render(&self.template, look).ok()?;
        Some(Order { topic: topic.to_owned(), payload })
    }

    /// Nobody knows how such a device is asked.
    pub(super) fn ears(&self) -> Vec<Ear> {
        let ear = |topic: &str| Ear { topic: topic.to_owned(), means: Means::Announcement(is_online) };
        self.online_topic.as_deref().map(ear).into_iter().collect()
    }

    pub(super) fn announcement(&self) -> Option<Announcement> {
        let topic = self.online_topic.as_deref()?.to_owned();
        Some(Announcement::new(topic, is_online))
    }
}

/// Devices say that they are there in all sorts of words, but that they are not in few.
fn is_online(payload: &[u8]) -> bool {
    let said = payload.trim_ascii();
    !["", "offline", "false", "0"].iter().any(|gone| said.eq_ignore_ascii_case(gone.as_bytes()))
}

fn render(template: &str, look: &Look) -> Result<String, Error> {
    template::environment().render_str(template, names(look))
}

/// What the names mean for a look. They always mean something, so that no template has to ask whether they
/// do.
fn names(look: &Look) -> Value {
    let off = Color::from_rgb(0);
    let lit = look.lit.as_ref();
    let color = lit.map_or(off, |lit| lit.color);
    let shown = look.shown.as_ref();
    context! {
        color => color.to_string(),
        red => color.red,
        green => color.green,
        blue => color.blue,
        on => lit.is_some(),
        brightness => lit.map_or(0, |lit| lit.brightness),
        effect => lit.and_then(|lit| lit.effect.name()).unwrap_or(""),
        user => shown.map_or("", |shown| shown.user.as_str()),
        availability => shown.map_or("", |shown| shown.availability.as_str()),
        activity => shown.map_or("", |shown| shown.activity.as_str()),
    }
}

/// Everything that can be shown, each off, dim, bright, and with an effect: by nobody, and in each pair of
/// words.
fn every_look() -> impl Iterator<Item = Look> {
    let pairs = Availability::ALL.iter().flat_map(|availability| {
        let known = KnownActivity::ALL.iter().copied().map(Activity::Known);
        // Graph may add words, so one that nobody can have thought of is tried too.
        let new = iter::once(Activity::New("SomethingNew".into()));
        known.chain(new).map(move |activity| (*availability, activity))
    });
    let shown = pairs.filter_map(|(availability, activity)| {
        Some(Shown { user: "someone".parse().ok()?, availability, activity })
    });
    iter::once(None).chain(shown.map(Some)).flat_map(|shown| {
        every_lit().map(move |lit| Look {
            lit,
            white: false,
            transition: Duration::ZERO,
            shown: shown.clone(),
        })
    })
}

fn every_lit() -> impl Iterator<Item = Option<Lit>> {
    let color = Color { red: 255, green: 191, blue: 0 };
    let ways =
        [(1, None), (100, None), (60, Some("blink")), (60, Some("breathe")), (60, Some("some effect"))];
    let lit = ways.map(|(brightness, effect)| Lit {
        color,
        brightness,
        effect: effect.map_or(Effect::Never, |name: &str| Effect::Named(name.into())),
    });
    iter::once(None).chain(lit.map(Some))
}

fn refusal(error: &Error, look: &Look) -> TemplateError {
    TemplateError::from_render(error, name_of(look))
}

fn name_of(look: &Look) -> Box<str> {
    let who = look.shown.as_ref().map_or_else(
        || String::from("no one"),
        |shown| format!("{} and {}", shown.availability, shown.activity),
    );
    match &look.lit {
        Some(Lit { effect: Effect::Named(effect), .. }) => {
            format!("showing {who}, lit with {effect:?}").into()
        }
        Some(Lit { effect: Effect::Never | Effect::Ended, .. }) => format!("showing {who}, lit").into(),
        None => format!("showing {who}, off").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lights::template::LONGEST_TEMPLATE;

    fn refused(template: &str) -> String {
        Custom::new(template, None).unwrap_err().to_string()
    }

    fn written(template: &str, look: &Look) -> String {
        Custom::new(template, None).unwrap().order("t", look).unwrap().payload
    }

    fn off() -> Look {
        Look { lit: None, white: false, transition: Duration::ZERO, shown: None }
    }

    #[test]
    fn every_name_means_something_in_every_state() {
        let all = "{{color}} {{red}} {{green}} {{blue}} {{on}} {{brightness}} [{{effect}}] [{{user}}] \
                   [{{availability}}] [{{activity}}]";
        assert_eq!(written(all, &off()), "#000000 0 0 0 false 0 [] [] [] []");
        let shown = Shown {
            user: "alice".parse().unwrap(),
            availability: Availability::Busy,
            activity: Activity::Known(KnownActivity::InACall),
        };
        let color = Color { red: 255, green: 191, blue: 0 };
        let lit = Lit { color, brightness: 60, effect: Effect::Named("blink".into()) };
        let look = Look { lit: Some(lit), white: false, transition: Duration::ZERO, shown: Some(shown) };
        assert_eq!(written(all, &look), "#ffbf00 255 191 0 true 60 [blink] [alice] [Busy] [InACall]");
        let logic = "{% if on %}{{ (brightness * 2.55) | round | int }}{% else %}OFF{% endif %}";
        assert_eq!((written(logic, &look), written(logic, &off())), ("153".into(), "OFF".into()));
        assert_eq!(written(r#"{"who":{{ activity | tojson }}}"#, &look), r#"{"who":"InACall"}"#);
        assert_eq!(every_look().count(), (1 + 9 * 18) * 6);
    }

    #[test]
    fn a_template_that_cannot_be_read_is_refused_with_its_line() {
        let text = refused("{\n  \"on\": {{ on }},\n  \"c\": {{ color \n}");
        assert!(text.starts_with("line 4: syntax error: "), "{text}");
        let text = refused("{% if on %}x");
        assert!(text.starts_with("line 1: syntax error: "), "{text}");
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_there_are_even_where_no_state_comes() {
        let names =
            "the names are color, red, green, blue, on, brightness, effect, user, availability, activity";
        assert_eq!(refused("{{ color }}\n{{ colour }}"), format!("line 2: there is no \"colour\"; {names}"));
        let hidden = "{% if effect == \"candle\" %}\n{{ hue }}{% endif %}";
        assert_eq!(refused(hidden), format!("line 2: there is no \"hue\"; {names}"));
        assert!(
            Custom::new("{% set hue = red %}{% for i in range(3) %}{{ i + hue }}{% endfor %}", None).is_ok()
        );
    }

    #[test]
    fn what_fails_in_one_state_only_is_refused_with_that_state() {
        let text = refused("{{ color }}\n{{ 100 // brightness }}");
        assert!(text.starts_with("line 2: "), "{text}");
        assert!(text.ends_with(" (showing no one, off)"), "{text}");
        let text = refused("{% if activity == \"Presenting\" %}{{ color.hue }}{% endif %}");
        assert!(text.ends_with(" (showing Available and Presenting, off)"), "{text}");
        let text = refused("{% if availability == \"Busy\" %}{{ color | hue }}{% endif %}");
        assert!(text.starts_with("line 1: unknown filter: "), "{text}");
    }

    #[test]
    fn a_template_cannot_cost_much() {
        let text = refused(&format!("{{{{ color{} }}}}", "|e".repeat(LONGEST_TEMPLATE)));
        assert_eq!(text, "has 8203 bytes; at most 4096 are read");
        let text = refused(
            "\n{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}",
        );
        assert!(text.starts_with("line 2: takes too long; "), "{text}");
        let text = refused("{{ 'x' * 5000 }}");
        assert!(text.starts_with("writes 5000 bytes (showing no one, off); "), "{text}");
        assert!(Custom::new("{{ 'x' * 1000000000 }}", None).is_err());
    }

    #[test]
    fn a_device_is_online_unless_it_says_that_it_is_not() {
        for (payload, expected) in [
            ("online", true),
            ("Online", true),
            ("true", true),
            ("1", true),
            ("hello", true),
            ("", false),
            (" ", false),
            ("offline", false),
            ("Offline\n", false),
            ("FALSE", false),
            ("0", false),
        ] {
            assert_eq!(is_online(payload.as_bytes()), expected, "{payload:?}");
        }
        assert!(Custom::new("x", None).unwrap().announcement().is_none());
        let announcement = Custom::new("x", Some("a/b".into())).unwrap().announcement().unwrap();
        assert_eq!(announcement.topic, "a/b");
    }
}
