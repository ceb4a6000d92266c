//! The holder of a lab: builds it, then serves commands until it is told to take it down.

use std::io::BufReader;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::message::{Order, Report};
use super::{HoldError, io_error, socket};
use crate::agent::client::{Answer, OpenRequest};
use crate::agent::message::{Event, Request, RunIo, RunRequest, receive, send};
use crate::lab::Lab;
use crate::scenario::Scenario;

/// Builds the scenario's lab and holds it until it is taken down. Runs in a process of its own (see
/// [`super::client::up`]), whose standard output is the caller's until the lab is up.
///
/// # Errors
/// The name is taken, or the lab could not be built. Nothing is left then.
pub fn hold(name: &str, scenario: &Scenario) -> Result<(), HoldError> {
    // Until the lab is up it goes with the command that asked for it; a session of its own keeps a terminal's signals away.
    set_pdeathsig(Signal::SIGKILL).map_err(|err| io_error("asking for a signal at the caller's end")(err.into()))?;
    nix::unistd::setsid().map_err(|err| io_error("leaving the terminal")(err.into()))?;
    let listener = socket::listen(name)?;
    let lab = Arc::new(Lab::new(name).map_err(|err| HoldError::Scenario(err.into()))?);
    let asked_down = serve(listener, Arc::clone(&lab));
    if let Err(err) = (scenario.build)(&lab) {
        crate::report::print_logs(name, &lab.machines());
        lab.stop();
        return Err(HoldError::Scenario(err));
    }
    set_pdeathsig(None).map_err(|err| io_error("staying after the caller's end")(err.into()))?;
    leave_output()?;
    // The accepting thread holds the other end as long as this process lives.
    if let Ok(mut asking) = asked_down.recv() {
        lab.stop();
        // The one who asked may have gone meanwhile.
        let _ = send(&mut asking, &Report::Done);
    }
    Ok(())
}

/// Gives the caller's output back: its end tells that the lab is up.
fn leave_output() -> Result<(), HoldError> {
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null").map_err(io_error("opening /dev/null"))?;
    nix::unistd::dup2_stdout(&null).map_err(|err| io_error("leaving standard output")(err.into()))?;
    nix::unistd::dup2_stderr(&null).map_err(|err| io_error("leaving standard error")(err.into()))
}

/// Serves from now on, machines that are still to come included; gives the connections on which somebody asks to take the
/// lab down.
fn serve(listener: UnixListener, lab: Arc<Lab>) -> Receiver<UnixStream> {
    let (down, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (lab, down) = (Arc::clone(&lab), down.clone());
            std::thread::spawn(move || serve_one(&lab, stream, &down));
        }
    });
    asked
}

fn serve_one(lab: &Lab, mut stream: UnixStream, down: &Sender<UnixStream>) {
    if !socket::peer(&stream).is_ok_and(|peer| peer.is_root) {
        return;
    }
    let Ok(reader) = stream.try_clone() else { return };
    let mut reader = BufReader::new(reader);
    let report = match receive(&mut reader) {
        Ok(Some(Order::List)) => {
            Report::Machines(lab.machines().iter().map(|machine| machine.name().to_owned()).collect())
        }
        Ok(Some(Order::Down)) => return drop(down.send(stream)),
        Ok(Some(Order::Exec { machine, argv, env, terminal })) => {
            let io = terminal.map_or(RunIo::Piped, RunIo::Terminal);
            exec(lab, &machine, RunRequest { argv, env, cwd: None, io }, reader, &mut stream)
        }
        _ => return,
    };
    // Who has gone does not wait for an answer.
    let _ = send(&mut stream, &report);
}

/// Runs a program for somebody; gives the last that is to be reported.
fn exec(lab: &Lab, name: &str, run: RunRequest, from: BufReader<UnixStream>, to: &mut UnixStream) -> Report {
    let Some(machine) = lab.find(name) else {
        let known: Vec<_> = lab.machines().iter().map(|machine| machine.name().to_owned()).collect();
        return Report::Failed(format!("there is no machine named {name}; there are: {}", known.join(", ")));
    };
    match machine.ask(Request::Run(run)) {
        Err(err) => Report::Failed(err.to_string()),
        Ok(answer) => {
            let request = answer.request().clone();
            std::thread::spawn(move || pass_input(from, &request));
            pass_output(&answer, to)
        }
    }
}

fn pass_output(answer: &Answer, to: &mut UnixStream) -> Report {
    loop {
        let report = match answer.next(None) {
            Ok(Event::Stdout(bytes)) => Report::Stdout(bytes),
            Ok(Event::Stderr(bytes)) => Report::Stderr(bytes),
            Ok(Event::Exit(status)) => return Report::Exit(status),
            Ok(Event::Failed(message)) => return Report::Failed(message),
            Ok(Event::Hello | Event::Received(_) | Event::Done(_)) => continue,
            Err(_) => return Report::Failed("the machine is gone".to_owned()),
        };
        // Who has gone has ended the program too, by `pass_input`.
        let _ = send(to, &report);
    }
}

/// Passes input on until the other side goes, and ends the program then.
fn pass_input(mut from: BufReader<UnixStream>, to: &OpenRequest) {
    while let Ok(Some(order)) = receive(&mut from) {
        let request = match order {
            Order::Stdin(bytes) => Request::Stdin(bytes),
            Order::CloseStdin => Request::CloseStdin,
            Order::Resize(size) => Request::Resize(size),
            Order::Exec { .. } | Order::List | Order::Down => continue,
        };
        if to.add(request).is_err() {
            return;
        }
    }
    let _ = to.add(Request::Signal(Signal::SIGHUP as i32));
}
