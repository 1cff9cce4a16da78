//! The terminal as a screen: taken over, drawn on, and given back as it was, whatever happens.

use crate::tui::app::App;
use crate::tui::draw;
use crate::tui::theme::Theme;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::sync::Once;

/// The screen, while this lives.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    with_mouse: bool,
}

/// Whether there is a terminal to show something on and to read keys from.
pub(super) fn is_there() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn open(with_mouse: bool) -> io::Result<Self> {
        restore_when_panicking();
        let backend = CrosstermBackend::new(BufWriter::with_capacity(64 << 10, io::stdout()));
        // From here on it is given back, whatever fails.
        let screen = Self {
            terminal: Terminal::new(backend)?,
            with_mouse,
        };
        take_over(with_mouse)?;
        Ok(screen)
    }

    /// Draws a frame: what differs from the one before is written, at once.
    pub(super) fn draw(&mut self, app: &App, theme: &Theme) -> io::Result<()> {
        // A terminal that knows it shows nothing of a frame before all of it is there.
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| draw(app, theme, frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Puts text on the terminal's clipboard (OSC 52), which may be another machine's.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(
            self.terminal.backend_mut(),
            CopyToClipboard::to_clipboard_from(text)
        )
    }

    /// Gives the terminal back and stops this process, until it is told to go on (`fg`).
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        take_over(self.with_mouse)?;
        // All is drawn anew. Not by `clear`: it asks the terminal where the cursor is, and whoever reads the keys would
        // take the answer.
        let area = self.terminal.size()?.into();
        self.terminal.resize(area)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take_over(with_mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    )?;
    if with_mouse {
        execute!(io::stdout(), EnableMouseCapture)?;
    }
    Ok(())
}

/// Undoes all of it; what fails of it leaves nothing that could be done.
fn give_back() {
    let _ = execute!(
        io::stdout(),
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
    let _ = io::stdout().flush();
}

/// A message of a panic on the alternate screen would be gone with it.
fn restore_when_panicking() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use bed::Terminal;
    use std::process::Command;

    /// Set in the process that is to panic: this same test, in a terminal of its own.
    const PANICS: &str = "MQI_TEST_PANICS";

    #[test]
    fn a_panic_gives_the_terminal_back_before_its_message() {
        if std::env::var_os(PANICS).is_some() {
            let _screen = Screen::open(true).unwrap();
            panic!("on purpose");
        }
        let mut command = Command::new("sh");
        let program = std::env::current_exe().unwrap();
        let name =
            "commands::tui::screen::tests::a_panic_gives_the_terminal_back_before_its_message";
        // What the terminal is set to can only be asked while somebody has it open.
        command
            .args(["-c", "\"$0\" --exact \"$1\" --nocapture; stty -a; read x"])
            .arg(program)
            .arg(name)
            .env(PANICS, "1");
        let mut terminal = Terminal::start(&command, (40, 120)).unwrap();
        let screen = terminal
            .until("how the terminal is set", |text| text.contains("echoctl"))
            .unwrap();
        assert!(screen.contains("on purpose"), "{screen}");
        let words: Vec<&str> = screen.split_whitespace().collect();
        for wanted in ["icanon", "isig", "echo", "opost"] {
            assert!(words.contains(&wanted), "{wanted}: {screen}");
        }
        terminal.restored().unwrap();
        let has_mouse = terminal.look(|screen| format!("{:?}", screen.mouse_protocol_mode()));
        assert_eq!(has_mouse, "None");
        terminal.keys("\r").unwrap();
        assert!(terminal.ended().is_ok());
    }
}
