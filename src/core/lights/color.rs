//! Colours as people write them.

use std::fmt;
use std::str::FromStr;

use crate::core::model::name::InvalidName;

/// A colour of eight bits each, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    /// 0 to 255.
    pub red: u8,
    /// 0 to 255.
    pub green: u8,
    /// 0 to 255.
    pub blue: u8,
}

/// What a word or a situation looks like: a colour, or no light at all (`off`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// The light is off.
    Off,
    /// The light is on, in this colour.
    On(Color),
}

/// What becomes of a light when there is nothing to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// It is left as it is.
    Unchanged,
    /// It shows this.
    Shade(Shade),
}

impl Color {
    /// From `0xrrggbb`.
    pub(super) const fn from_rgb(rgb: u32) -> Self {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Self { red, green, blue }
    }
}

impl FromStr for Color {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let digits = text.strip_prefix('#').filter(|digits| {
            // `from_str_radix` would also take a sign.
            digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit())
        });
        let rgb = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        rgb.map(Self::from_rgb).ok_or(InvalidName("\"#rrggbb\""))
    }
}

impl FromStr for Shade {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            "off" => Ok(Self::Off),
            color => color.parse().map(Self::On).map_err(|_| InvalidName("\"#rrggbb\" or \"off\"")),
        }
    }
}

impl FromStr for Instead {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            "unchanged" => Ok(Self::Unchanged),
            shade => {
                let allowed = InvalidName("\"#rrggbb\", \"off\" or \"unchanged\"");
                shade.parse().map(Self::Shade).map_err(|_| allowed)
            }
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl fmt::Display for Shade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::On(color) => color.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_digits() {
        let amber = Color { red: 0xff, green: 0xbf, blue: 0 };
        for text in ["#ffbf00", "#FFBF00"] {
            assert_eq!(text.parse(), Ok(Shade::On(amber)), "{text}");
            assert_eq!(text.parse(), Ok(Instead::Shade(Shade::On(amber))), "{text}");
        }
        assert_eq!(amber.to_string(), "#ffbf00");
        assert_eq!("off".parse(), Ok(Shade::Off));
        assert_eq!("unchanged".parse(), Ok(Instead::Unchanged));
        for bad in
            ["", "ffbf00", "#ffbf0", "#ffbf000", "#+fbf00", "#ggbf00", "red", "OFF", "unchanged", "#ffbf0é"]
        {
            assert!(bad.parse::<Shade>().is_err(), "{bad:?}");
        }
    }
}
