//! `landbridge template`: what a worker's machine is, read, shown, and converted.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{CliError, Style, findings};
use crate::template::{self, Findings, Format, Parsed, Target};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Template {
    /// Say everything that is wrong with a template, at once.
    Check {
        /// The template; `-` reads standard input.
        #[arg(value_name = "TEMPLATE")]
        template: PathBuf,
    },
    /// Show what would be asked of a provider for it, and what that can't honour.
    Show {
        /// The template; `-` reads standard input.
        #[arg(value_name = "TEMPLATE")]
        template: PathBuf,
        /// Who is to make the machine.
        #[arg(long = "for", value_enum, value_name = "PROVIDER")]
        provider: Provider,
    },
    /// Write it in the other syntax, to standard output.
    Convert {
        /// The template; `-` reads standard input.
        #[arg(value_name = "TEMPLATE")]
        template: PathBuf,
        /// The syntax to write.
        #[arg(long, value_enum, value_name = "SYNTAX")]
        to: Syntax,
    },
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub(super) enum Provider {
    /// A hypervisor on a physical host.
    Libvirt,
    /// EC2, or a cloud that speaks its API.
    Ec2,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub(super) enum Syntax {
    /// OpenNebula's own.
    Opennebula,
    /// TOML.
    Toml,
}

pub(super) fn run(template: Template) -> Result<ExitCode, CliError> {
    match template {
        Template::Check { template } => check(&template),
        Template::Show { template, provider } => show(&template, provider),
        Template::Convert { template, to } => convert(&template, to),
    }
}

fn check(path: &Path) -> Result<ExitCode, CliError> {
    let read = load(path)?;
    let template = &read.parsed.template;
    let places = match (template.runs_on_physical(), template.runs_in_cloud()) {
        (true, true) => "for physical hosts and EC2",
        (true, false) => "for physical hosts",
        (false, true) => "for EC2",
        (false, false) => "for nobody yet: it has no disk, no kernel, and no EC2 part",
    };
    println!("{} is good: {} CPU, {} MiB, {places}", read.name, template.cpu, template.memory_mib);
    Ok(ExitCode::SUCCESS)
}

fn show(path: &Path, provider: Provider) -> Result<ExitCode, CliError> {
    let read = load(path)?;
    let target = match provider {
        Provider::Libvirt => Target::Libvirt,
        Provider::Ec2 => Target::Ec2,
    };
    let limits = read.parsed.findings_for(target, &read.text);
    if limits.errors() == 0 {
        for (what, value) in template::asked_of(&read.parsed.template, target) {
            println!("{what:<14} {value}");
        }
    }
    tell(&limits, &read.name, &read.text);
    match limits.errors() {
        0 => Ok(ExitCode::SUCCESS),
        errors => Err(CliError::Findings { path: path.to_owned(), errors }),
    }
}

fn convert(path: &Path, to: Syntax) -> Result<ExitCode, CliError> {
    let template = load(path)?.parsed.template;
    match to {
        Syntax::Toml => print!("{}", template::to_toml(&template)),
        Syntax::Opennebula => print!("{}", template::to_opennebula(&template)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// A template that was read.
pub(super) struct Loaded {
    /// How the person called it.
    name: String,
    text: String,
    /// The template, and where its parts stand.
    pub(super) parsed: Parsed,
}

impl Loaded {
    /// An error when none of these, of whom it says something, can honour what it must have; the findings are printed.
    pub(super) fn runs_somewhere(&self, path: &Path, targets: &[Target]) -> Result<(), CliError> {
        let template = &self.parsed.template;
        let is_meant = |target: &&Target| match target {
            Target::Libvirt => template.runs_on_physical(),
            Target::Ec2 => template.runs_in_cloud(),
        };
        let limits = targets.iter().filter(is_meant).map(|target| self.parsed.findings_for(*target, &self.text));
        let limits: Vec<Findings> = limits.collect();
        if limits.iter().any(|limits| limits.errors() == 0) {
            return Ok(());
        }
        for limits in &limits {
            tell(limits, &self.name, &self.text);
        }
        match limits.iter().map(Findings::errors).sum() {
            0 => Ok(()),
            errors => Err(CliError::Findings { path: path.to_owned(), errors }),
        }
    }

    /// Prints what these can't honour.
    pub(super) fn tell_limits(&self, targets: &[Target]) {
        for target in targets {
            tell(&self.parsed.findings_for(*target, &self.text), &self.name, &self.text);
        }
    }
}

/// Reads a template. Findings are printed to standard error; any error among them ends the command.
pub(super) fn load(path: &Path) -> Result<Loaded, CliError> {
    let text = read_text(path).map_err(|source| CliError::ReadTemplate { path: path.to_owned(), source })?;
    let name = path.display().to_string();
    match template::parse(&text, Format::of(path, &text)) {
        Ok(parsed) => {
            tell(&parsed.warnings, &name, &text);
            Ok(Loaded { name, text, parsed })
        }
        Err(found) => {
            tell(&found, &name, &text);
            Err(CliError::Findings { path: path.to_owned(), errors: found.errors() })
        }
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    if path != Path::new("-") {
        return std::fs::read_to_string(path);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn tell(found: &Findings, name: &str, text: &str) {
    if !found.is_empty() {
        eprintln!("{}", findings::render(found, name, text, Style::of(&std::io::stderr())));
    }
}
