//! `landbridge template` as a person runs it.

use assert_cmd::Command;

const OF_2008: &str = "tests/template/the_template_of_2008.one";

fn landbridge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landbridge"));
    command.arg("template").args(arguments).env("NO_COLOR", "1");
    command
}

fn said(arguments: &[&str]) -> String {
    let output = landbridge(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("UTF-8")
}

#[test]
fn a_good_template_is_said_to_be_good() {
    let expected = format!("{OF_2008} is good: 1 CPU, 128 MiB, for physical hosts and EC2\n");
    assert_eq!(said(&["check", OF_2008]), expected);
}

#[test]
fn a_template_survives_conversion_and_back() {
    let toml = said(&["convert", OF_2008, "--to", "toml"]);
    let one = landbridge(&["convert", "-", "--to", "opennebula"]).write_stdin(toml.clone()).assert().success();
    let one = one.get_output().stdout.clone();
    let back = landbridge(&["convert", "-", "--to", "toml"]).write_stdin(one).assert().success();
    assert_eq!(String::from_utf8_lossy(&back.get_output().stdout), toml);
}

#[test]
fn what_a_provider_cannot_do_ends_the_command() {
    let shown = landbridge(&["show", "tests/template/form_only_ec2.one", "--for", "libvirt"]).assert().code(1);
    let told = String::from_utf8_lossy(&shown.get_output().stderr).into_owned();
    assert!(shown.get_output().stdout.is_empty(), "nothing would be asked");
    assert!(told.contains("cannot-run") && told.contains("no disk and no kernel"), "{told}");
}

#[test]
fn every_mistake_is_told_before_the_command_ends() {
    let checked = landbridge(&["check", "tests/template/bad_everything_at_once.one"]).assert().code(1);
    let told = String::from_utf8_lossy(&checked.get_output().stderr).into_owned();
    assert!(told.contains("7 errors, 1 warning"), "{told}");
}
