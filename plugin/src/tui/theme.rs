//! The one place where colours are: by what they mean.
//!
//! What colour says is always said by something else too (a word, a sign, a place), so that a screen without colours
//! lacks nothing.

use ratatui::style::{Color, Modifier, Style};

/// What something on the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Text.
    Text,
    /// Text beside what is looked at: borders, units, namespaces.
    Faint,
    /// The names of clusters.
    Cluster,
    /// Titles, and what is on.
    Title,
    /// Heads of columns.
    Head,
    /// The head of the column that lines are sorted by.
    Sorted,
    /// As it should be.
    Good,
    /// On its way, or partly there.
    Warn,
    /// Broken.
    Bad,
    /// Ended as it should.
    Done,
    /// Of a cluster that is not heard: old.
    Stale,
    /// The line with the cursor.
    Selected,
    /// Marked by a person.
    Marked,
    /// A cell that just changed.
    Changed,
    /// A line that just came.
    New,
    /// A line that just went.
    Gone,
    /// A key that can be typed.
    Key,
    /// What is typed.
    Typed,
    /// What a completion would add.
    Ghost,
    /// Something that everybody has to see.
    Alarm,
    /// What was searched for.
    Found,
    /// A key of YAML, or the first word of a description's line.
    Name,
    /// A text in YAML.
    Quoted,
    /// A number, true, false or null in YAML.
    Literal,
}

/// Which colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// None, or none are wanted.
    None,
    /// The sixteen that every terminal has.
    Sixteen,
    /// 256 or more.
    #[default]
    Many,
}

/// What the background is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    /// Dark.
    #[default]
    Dark,
    /// Light.
    Light,
}

/// How each [`Role`] looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// The terminal's colours.
    pub colours: Colours,
    /// Its background.
    pub ground: Ground,
}

impl Theme {
    /// By the environment: `NO_COLOR`, `TERM`, `COLORTERM`, and `COLORFGBG`, in which some terminals say their colours.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| variable(name).unwrap_or_default();
        let term = said("TERM");
        let many = said("COLORTERM").contains("truecolor")
            || said("COLORTERM").contains("24bit")
            || term.contains("256color")
            || ["kitty", "alacritty", "ghostty", "direct", "foot"]
                .iter()
                .any(|it| term.contains(it));
        let colours = match () {
            () if !said("NO_COLOR").is_empty()
                || matches!(term.as_str(), "dumb" | "vt100" | "vt220") =>
            {
                Colours::None
            }
            () if many => Colours::Many,
            () => Colours::Sixteen,
        };
        let background = said("COLORFGBG");
        let light = matches!(background.rsplit(';').next(), Some("7" | "15"));
        let ground = if light { Ground::Light } else { Ground::Dark };
        Self { colours, ground }
    }

    /// How something looks.
    pub fn style(&self, role: Role) -> Style {
        match self.colours {
            Colours::None => plain(role),
            Colours::Sixteen => sixteen(role, self.ground),
            Colours::Many => many(role, self.ground),
        }
    }
}

fn plain(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text
        | Role::Cluster
        | Role::Good
        | Role::Done
        | Role::Typed
        | Role::Quoted
        | Role::Literal
        | Role::Warn => style,
        Role::Faint | Role::Stale | Role::Ghost => style.add_modifier(Modifier::DIM),
        Role::Title | Role::Head | Role::Key | Role::Name | Role::Bad | Role::New => {
            style.add_modifier(Modifier::BOLD)
        }
        Role::Sorted | Role::Marked | Role::Changed => {
            style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        }
        Role::Selected | Role::Alarm | Role::Found => style.add_modifier(Modifier::REVERSED),
        Role::Gone => style.add_modifier(Modifier::DIM | Modifier::CROSSED_OUT),
    }
}

fn sixteen(role: Role, ground: Ground) -> Style {
    let light = ground == Ground::Light;
    let fg = |dark: Color, on_light: Color| Style::new().fg(if light { on_light } else { dark });
    match role {
        Role::Text | Role::Typed => Style::new(),
        Role::Faint | Role::Ghost | Role::Done => fg(Color::DarkGray, Color::DarkGray),
        Role::Stale => fg(Color::DarkGray, Color::DarkGray).add_modifier(Modifier::DIM),
        Role::Cluster | Role::Name => fg(Color::Cyan, Color::Blue),
        Role::Title => fg(Color::LightCyan, Color::Blue).add_modifier(Modifier::BOLD),
        Role::Head => Style::new().add_modifier(Modifier::BOLD),
        Role::Sorted => fg(Color::LightCyan, Color::Blue).add_modifier(Modifier::BOLD),
        Role::Good => fg(Color::Green, Color::Green),
        Role::Warn => fg(Color::Yellow, Color::Magenta),
        Role::Bad => fg(Color::LightRed, Color::Red),
        Role::Selected => Style::new().add_modifier(Modifier::REVERSED),
        Role::Marked => fg(Color::LightMagenta, Color::Magenta).add_modifier(Modifier::BOLD),
        Role::Changed => Style::new().fg(Color::Black).bg(Color::Yellow),
        Role::New => fg(Color::LightGreen, Color::Green).add_modifier(Modifier::BOLD),
        Role::Gone => fg(Color::DarkGray, Color::DarkGray).add_modifier(Modifier::CROSSED_OUT),
        Role::Key => fg(Color::LightBlue, Color::Blue),
        Role::Alarm => Style::new()
            .fg(Color::White)
            .bg(Color::Red)
            .add_modifier(Modifier::BOLD),
        Role::Found => Style::new().fg(Color::Black).bg(Color::LightYellow),
        Role::Quoted => fg(Color::Green, Color::Green),
        Role::Literal => fg(Color::Magenta, Color::Magenta),
    }
}

fn many(role: Role, ground: Ground) -> Style {
    let light = ground == Ground::Light;
    let pick = |dark: u8, on_light: u8| Color::Indexed(if light { on_light } else { dark });
    let fg = |dark: u8, on_light: u8| Style::new().fg(pick(dark, on_light));
    match role {
        Role::Text => fg(252, 236),
        Role::Faint | Role::Ghost => fg(243, 245),
        Role::Cluster => fg(110, 25),
        Role::Title => fg(80, 24).add_modifier(Modifier::BOLD),
        Role::Head => fg(255, 232).add_modifier(Modifier::BOLD),
        Role::Sorted => fg(80, 24).add_modifier(Modifier::BOLD),
        Role::Good => fg(114, 28),
        Role::Warn => fg(221, 130),
        Role::Bad => fg(203, 160),
        Role::Done => fg(245, 243),
        Role::Stale => fg(240, 249),
        Role::Selected => Style::new().bg(pick(24, 153)).add_modifier(Modifier::BOLD),
        Role::Marked => fg(176, 90).add_modifier(Modifier::BOLD),
        Role::Changed => Style::new().fg(pick(16, 16)).bg(pick(179, 222)),
        Role::New => Style::new().bg(pick(22, 194)),
        Role::Gone => fg(240, 249).add_modifier(Modifier::CROSSED_OUT),
        Role::Key => fg(75, 26),
        Role::Typed => fg(255, 232).add_modifier(Modifier::BOLD),
        Role::Alarm => Style::new()
            .fg(Color::Indexed(231))
            .bg(pick(124, 160))
            .add_modifier(Modifier::BOLD),
        Role::Found => Style::new().fg(Color::Indexed(16)).bg(pick(221, 227)),
        Role::Name => fg(110, 25),
        Role::Quoted => fg(150, 64),
        Role::Literal => fg(179, 130),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Theme {
        Theme::of_environment(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_which_colours_there_are() {
        for (variables, colours) in [
            (&[("TERM", "xterm-256color")][..], Colours::Many),
            (
                &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
                Colours::Many,
            ),
            (&[("TERM", "xterm")], Colours::Sixteen),
            (&[("TERM", "linux")], Colours::Sixteen),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
                Colours::None,
            ),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
                Colours::Many,
            ),
            (&[("TERM", "dumb")], Colours::None),
        ] {
            assert_eq!(of(variables).colours, colours, "{variables:?}");
        }
        assert_eq!(of(&[("COLORFGBG", "0;15")]).ground, Ground::Light);
        assert_eq!(of(&[("COLORFGBG", "15;default;0")]).ground, Ground::Dark);
    }

    #[test]
    fn without_colours_there_is_none() {
        let theme = Theme {
            colours: Colours::None,
            ground: Ground::Dark,
        };
        for role in [
            Role::Bad,
            Role::Selected,
            Role::Changed,
            Role::New,
            Role::Alarm,
            Role::Stale,
            Role::Gone,
        ] {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
            assert!(
                !style.add_modifier.is_empty(),
                "{role:?} still looks like something"
            );
        }
    }
}
