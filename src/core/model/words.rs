//! Both words of a presence, as they are published and as Graph spelled them, in as little room as they need.
//!
//! Whole tenants are followed, and nearly everybody's words are on the lists and in one of the two spellings
//! that Microsoft's pages have. Such a pair takes no memory of its own, is compared without following a
//! pointer, and is taken from an answer without being copied.

use crate::core::model::word::{Activity, Availability, KnownActivity};

/// Characters of a raw word that are kept.
pub const LONGEST_RAW_WORD: usize = 256;

/// An availability and an activity, each with what Graph sent for it.
///
/// Two are equal if both words and both spellings are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceWords {
    availability: Availability,
    /// Of no meaning where `others` has one.
    activity: KnownActivity,
    spelled: (Spelling, Option<Spelling>),
    others: Option<Box<Others>>,
}

/// How a word of the lists was spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `InACall`
    Published,
    /// `inACall`
    SmallFirst,
}

/// PresenceWords that need room: of no list, in another spelling, or with something around them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Others {
    activity: Activity,
    raw_availability: Box<str>,
    raw_activity: Option<Box<str>>,
}

impl PresenceWords {
    /// The words for what Graph sent, or nothing where there is no availability in it.
    #[must_use]
    pub fn from_graph(raw_availability: &str, raw_activity: Option<&str>) -> Option<Self> {
        let availability = Availability::from_graph(raw_availability)?;
        let activity = Activity::from_graph(raw_activity);
        let spelled_availability =
            Spelling::of(raw_availability, availability.as_str(), availability.with_small_first());
        let spelled_activity = match (&activity, raw_activity) {
            (Activity::Known(word), Some(raw)) => {
                Spelling::of(raw, word.as_str(), word.with_small_first()).map(Some)
            }
            (Activity::Known(_), None) => Some(None),
            (Activity::New(_), _) => None,
        };
        let (known, spelled) = match (&activity, spelled_availability, spelled_activity) {
            (Activity::Known(word), Some(one), Some(other)) => (*word, Some((one, other))),
            (Activity::Known(_) | Activity::New(_), _, _) => (KnownActivity::PresenceUnknown, None),
        };
        let others = spelled.is_none().then(|| {
            let kept = |raw: &str| Box::from(at_most(raw, LONGEST_RAW_WORD));
            Box::new(Others {
                activity,
                raw_availability: kept(raw_availability),
                raw_activity: raw_activity.map(kept),
            })
        });
        let spelled = spelled.unwrap_or((Spelling::Published, None));
        Some(Self { availability, activity: known, spelled, others })
    }

    /// The published availability.
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.availability
    }

    /// The published activity.
    #[must_use]
    pub fn activity(&self) -> Activity {
        match &self.others {
            Some(others) => others.activity.clone(),
            None => Activity::Known(self.activity),
        }
    }

    /// The published activity's spelling.
    #[must_use]
    pub fn activity_word(&self) -> &str {
        match &self.others {
            Some(others) => others.activity.as_str(),
            None => self.activity.as_str(),
        }
    }

    /// The availability as Graph spelled it, at most [`LONGEST_RAW_WORD`] characters.
    #[must_use]
    pub fn raw_availability(&self) -> &str {
        match (&self.others, self.spelled.0) {
            (Some(others), _) => &others.raw_availability,
            (None, Spelling::Published) => self.availability.as_str(),
            (None, Spelling::SmallFirst) => self.availability.with_small_first(),
        }
    }

    /// The activity as Graph spelled it, at most [`LONGEST_RAW_WORD`] characters; nothing if it sent none.
    #[must_use]
    pub fn raw_activity(&self) -> Option<&str> {
        match (&self.others, self.spelled.1) {
            (Some(others), _) => others.raw_activity.as_deref(),
            (None, Some(Spelling::Published)) => Some(self.activity.as_str()),
            (None, Some(Spelling::SmallFirst)) => Some(self.activity.with_small_first()),
            (None, None) => None,
        }
    }

    /// Whether `other` is published the same, however Graph spelled it.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.availability == other.availability && self.same_activity(other)
    }

    /// Whether `other` has the same published activity.
    #[must_use]
    pub fn same_activity(&self, other: &Self) -> bool {
        match (&self.others, &other.others) {
            (None, None) => self.activity == other.activity,
            (Some(_), _) | (_, Some(_)) => self.activity() == other.activity(),
        }
    }

    /// Whether anything here may be new to this version; what is on the lists is not.
    #[must_use]
    pub fn may_be_new(&self) -> bool {
        self.others.is_some()
    }
}

impl Spelling {
    fn of(raw: &str, published: &str, with_small_first: &str) -> Option<Self> {
        if raw == published {
            Some(Self::Published)
        } else if raw == with_small_first {
            Some(Self::SmallFirst)
        } else {
            None
        }
    }
}

/// The beginning of a text, so many characters at most.
#[must_use]
pub fn at_most(text: &str, characters: usize) -> &str {
    match text.char_indices().nth(characters) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lists in all kinds of spelling, and what is on none.
    fn raw() -> impl Strategy<Value = String> {
        let listed = Availability::ALL.iter().map(|word| word.as_str());
        let listed: Vec<&str> = listed.chain(KnownActivity::ALL.iter().map(|word| word.as_str())).collect();
        let spelled = (prop::sample::select(listed), 0..5_u8).prop_map(|(word, how)| match how {
            0 => word.to_owned(),
            1 => format!("{}{}", word[..1].to_lowercase(), &word[1..]),
            2 => word.to_uppercase(),
            3 => format!(" {word}\t"),
            _ => format!("{word}2"),
        });
        prop_oneof![4 => spelled, 1 => ".{0,300}"]
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_the_small_form(availability in raw(), activity in prop::option::of(raw())) {
            let words = PresenceWords::from_graph(&availability, activity.as_deref());
            prop_assert_eq!(words.is_some(), Availability::from_graph(&availability).is_some());
            if let Some(words) = words {
                prop_assert_eq!(Some(words.availability()), Availability::from_graph(&availability));
                prop_assert_eq!(words.activity(), Activity::from_graph(activity.as_deref()));
                let word = words.activity();
                prop_assert_eq!(words.activity_word(), word.as_str());
                prop_assert_eq!(words.raw_availability(), at_most(&availability, LONGEST_RAW_WORD));
                let kept = activity.as_deref().map(|raw| at_most(raw, LONGEST_RAW_WORD));
                prop_assert_eq!(words.raw_activity(), kept);
            }
        }

        #[test]
        fn equal_means_equal_to_whoever_reads_it(
            one in (raw(), prop::option::of(raw())),
            other in (raw(), prop::option::of(raw())),
        ) {
            let of = |(availability, activity): &(String, Option<String>)| {
                PresenceWords::from_graph(availability, activity.as_deref())
            };
            if let (Some(one), Some(other)) = (of(&one), of(&other)) {
                let shown = |words: &PresenceWords| {
                    let (raw, activity) = (words.raw_availability().to_owned(), words.activity());
                    (words.availability(), activity, raw, words.raw_activity().map(str::to_owned))
                };
                prop_assert_eq!(one == other, shown(&one) == shown(&other));
                let published = |words: &PresenceWords| (words.availability(), words.activity());
                prop_assert_eq!(one.same_as(&other), published(&one) == published(&other));
            }
        }
    }

    #[test]
    fn usual_words_need_no_room() {
        assert!(size_of::<PresenceWords>() <= 16);
        for (availability, activity) in [("Busy", Some("InACall")), ("busy", Some("inACall")), ("Away", None)]
        {
            let words = PresenceWords::from_graph(availability, activity).unwrap();
            assert!(words.others.is_none(), "{words:?}");
            assert!(!words.may_be_new());
        }
        assert!(PresenceWords::from_graph("BUSY", None).unwrap().others.is_some());
    }
}
