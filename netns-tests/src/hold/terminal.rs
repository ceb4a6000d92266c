//! The person's own terminal while it belongs to a program on a machine.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

use crate::agent::message::TerminalSize;

/// The terminal passes every key on as it is until this is dropped.
pub(super) struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Takes the terminal over; none if standard input is none.
    pub(super) fn take() -> io::Result<Option<Self>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok(Some(Self { before }))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // A terminal that has gone needs no settings.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before);
    }
}

/// The terminal's size; 80 by 24 without one.
pub(super) fn size() -> TerminalSize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_row > 0);
    size.map_or(TerminalSize { rows: 24, columns: 80 }, |size| TerminalSize { rows: size.ws_row, columns: size.ws_col })
}

/// Calls back whenever the terminal's size changes. To be called before any other thread is started: the signal must be
/// blocked in all of them.
pub(super) fn on_resize(tell: Arc<dyn Fn(TerminalSize) + Send + Sync>) -> io::Result<()> {
    let mut changes = SigSet::empty();
    changes.add(Signal::SIGWINCH);
    changes.thread_block()?;
    std::thread::spawn(move || {
        while changes.wait().is_ok() {
            tell(size());
        }
    });
    Ok(())
}
