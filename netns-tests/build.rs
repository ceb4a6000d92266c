//! Compiles what the guests' kernel is started with: see `src/uml/xstate.c`.

use std::path::PathBuf;
use std::{env, error};

const SOURCE: &str = "src/uml/xstate.c";

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let output = PathBuf::from(env::var("OUT_DIR")?).join("xstate.so");
    let mut compile = cc::Build::new().warnings(true).opt_level(2).try_get_compiler()?.to_command();
    let status = compile.args(["-shared", "-fPIC", "-o"]).arg(&output).arg(SOURCE).status()?;
    if status.success() { Ok(()) } else { Err(format!("compiling {SOURCE} failed ({status})").into()) }
}
