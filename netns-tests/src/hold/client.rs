//! A person's commands to the holder of a lab.

use std::io::{self, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::message::{Order, Report};
use super::{HoldError, io_error, socket, terminal};
use crate::agent::message::{Bytes, receive, send};
use crate::spawn::ends_within;

/// Starts a holder (the running program, called with `arguments`) and passes on what it says until its lab is up.
///
/// # Errors
/// The lab did not come up; the holder has said why.
pub fn up(lab: &str, arguments: &[&str]) -> Result<(), HoldError> {
    let program = std::env::current_exe().map_err(io_error("finding the running program"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut holder = command.spawn().map_err(io_error("starting the lab's holder"))?;
    if let Some(mut output) = holder.stdout.take() {
        io::copy(&mut output, &mut io::stdout()).map_err(io_error("passing on what the holder says"))?;
    }
    // It has left its output: it is up, or it has ended.
    if self::holder(lab).ok() == Some(holder.id()) {
        return Ok(());
    }
    // Its status says no more than what it has said itself.
    let _ = holder.wait();
    Err(HoldError::NotUp)
}

/// The names of a lab's machines.
///
/// # Errors
/// There is no such lab.
pub fn machines(lab: &str) -> Result<Vec<String>, HoldError> {
    match ask(lab, &Order::List)? {
        Report::Machines(names) => Ok(names),
        other => Err(refusal(other)),
    }
}

/// The process that holds a lab.
///
/// # Errors
/// There is no such lab.
pub fn holder(lab: &str) -> Result<u32, HoldError> {
    let peer = socket::peer(&socket::connect(lab)?).map_err(io_error("asking who holds the lab"))?;
    Ok(peer.pid.cast_unsigned())
}

/// Takes a lab down; returns when nothing of it is left.
///
/// # Errors
/// There is no such lab.
pub fn down(lab: &str) -> Result<(), HoldError> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let holder = holder(lab)?;
    match ask(lab, &Order::Down)? {
        Report::Done if ends_within(holder, PATIENCE) => Ok(()),
        Report::Done => Err(HoldError::Refused(format!("process {holder} took the lab down but does not end"))),
        other => Err(refusal(other)),
    }
}

/// Runs a program on a machine, with this process's input and output. Gives its status.
///
/// # Errors
/// There is no such lab or machine, or no such program there.
pub fn exec(lab: &str, machine: &str, argv: &[String]) -> Result<i32, HoldError> {
    session(lab, &Order::Exec { machine: machine.to_owned(), argv: argv.to_vec(), env: Vec::new(), terminal: None })
}

/// Opens a shell on a machine, on this process's terminal. Gives its status.
///
/// # Errors
/// There is no such lab or machine.
pub fn shell(lab: &str, machine: &str) -> Result<i32, HoldError> {
    let argv = ["/bin/bash", "--login"].map(str::to_owned).to_vec();
    let kind = std::env::var("TERM").unwrap_or_else(|_| "xterm".to_owned());
    let env = vec![("TERM".to_owned(), kind)];
    let order = Order::Exec { machine: machine.to_owned(), argv, env, terminal: Some(terminal::size()) };
    let _raw = terminal::RawTerminal::take().map_err(io_error("taking the terminal over"))?;
    session(lab, &order)
}

fn session(lab: &str, order: &Order) -> Result<i32, HoldError> {
    let mut stream = socket::connect(lab)?;
    let on_terminal = matches!(order, Order::Exec { terminal: Some(_), .. });
    send(&mut stream, order).map_err(io_error("asking the lab"))?;
    let speaker = Arc::new(Mutex::new(stream.try_clone().map_err(io_error("talking to the lab"))?));
    if on_terminal {
        let resizing = Arc::clone(&speaker);
        let tell = Arc::new(move |size| say(&resizing, &Order::Resize(size)));
        terminal::on_resize(tell).map_err(io_error("watching the terminal's size"))?;
    }
    std::thread::spawn(move || pass_input(&speaker));
    pass_output(stream)
}

fn pass_input(to: &Mutex<UnixStream>) {
    let mut buffer = [0; 8192];
    loop {
        match io::stdin().read(&mut buffer) {
            Ok(0) | Err(_) => return say(to, &Order::CloseStdin),
            Ok(count) => say(to, &Order::Stdin(Bytes(buffer[..count].to_vec()))),
        }
    }
}

/// If the holder has gone, the side that listens to it notices.
fn say(to: &Mutex<UnixStream>, order: &Order) {
    let _ = send(&mut *to.lock().unwrap_or_else(PoisonError::into_inner), order);
}

fn pass_output(from: UnixStream) -> Result<i32, HoldError> {
    let mut from = BufReader::new(from);
    loop {
        match receive(&mut from).map_err(io_error("listening to the lab"))? {
            Some(Report::Stdout(Bytes(data))) => write_through(&mut io::stdout(), &data)?,
            Some(Report::Stderr(Bytes(data))) => write_through(&mut io::stderr(), &data)?,
            Some(Report::Exit(status)) => return Ok(status),
            Some(other) => return Err(refusal(other)),
            None => return Err(HoldError::Refused("the lab went down".to_owned())),
        }
    }
}

fn write_through(to: &mut impl io::Write, data: &[u8]) -> Result<(), HoldError> {
    to.write_all(data).and_then(|()| to.flush()).map_err(io_error("passing on output"))
}

fn ask(lab: &str, order: &Order) -> Result<Report, HoldError> {
    let mut stream = socket::connect(lab)?;
    send(&mut stream, order).map_err(io_error("asking the lab"))?;
    let report = receive(&mut BufReader::new(stream)).map_err(io_error("listening to the lab"))?;
    report.ok_or_else(|| HoldError::Refused("the lab did not answer: only root may ask".to_owned()))
}

fn refusal(report: Report) -> HoldError {
    match report {
        Report::Failed(message) => HoldError::Refused(message),
        other => HoldError::Refused(format!("an unexpected answer: {other:?}")),
    }
}
