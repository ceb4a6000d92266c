//! Certificates: Landbridge's authority beside easy-rsa.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use jiff::Timestamp;
use landbridge_pki::authority::CertificateSpec;
use landbridge_pki::{Authority, KeyPair, NodeName, Role};

use crate::bench::report::{Bound, Cell, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};

/// This measurement.
pub const KEYS: Measurement = Measurement { name: "keys", title: "Certificates: beside easy-rsa", measure };

const ROUNDS: u32 = 5;
/// Certificates of ours in a round; easy-rsa makes one.
const BATCH: u32 = 200;
const EASY_RSA: &str = "/usr/share/easy-rsa/easyrsa";

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "One client's certificate, from nothing to a signed file on disk: a key pair, a request, the signature. easy-rsa runs \
         `build-client-full NAME nopass` as its README says, once with its defaults (RSA, 2048 bits) and once with elliptic \
         curves (P-256) as Landbridge uses. Landbridge's authority has a passphrase and writes each certificate through to the disk.",
    );
    let directory = tempfile::tempdir()?;
    let mut authority = Authority::create(
        &directory.path().join("pki"),
        "ursa",
        &"a passphrase of the benchmark".to_owned().into(),
        Timestamp::now(),
    )?;
    let (rsa, curves) = (directory.path().join("rsa"), directory.path().join("ec"));
    easy_rsa_begins(&rsa, &[])?;
    easy_rsa_begins(&curves, CURVES)?;
    let (mut ours, mut theirs, mut theirs_ec) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        ours.push(ours_each(&mut authority, round)?);
        theirs.push(easy_rsa_one(&rsa, &[], round)?);
        theirs_ec.push(easy_rsa_one(&curves, CURVES, round)?);
    }
    let [ours, theirs, theirs_ec] = [ours, theirs, theirs_ec].map(|times| Sample::new(Unit::Milliseconds, times));
    let mut table = Table::new(["authority", "each", "as many times as Landbridge", "in a second"]);
    let per_second = |sample: &Option<Sample>| {
        sample.as_ref().map_or(Cell::Failed, |each| Cell::Value(Unit::PerSecond, 1000.0 / each.median()))
    };
    for (label, sample) in
        [("Landbridge (P-256)", &ours), ("easy-rsa, P-256", &theirs_ec), ("easy-rsa, defaults", &theirs)]
    {
        let times = Cell::times(sample.as_ref(), ours.as_ref());
        table.row(label, [sample.clone().into(), times, per_second(sample)]);
    }
    section.tables.push(table);
    let ratio = theirs_ec.zip(ours).map(|(theirs, ours)| theirs.median() / ours.median());
    section.goals.push(
        Goal::new("certificates issued, as many times as easy-rsa (P-256)", Unit::Times, Bound::AtLeast(100.0), ratio)
            .or_because(
                "Each certificate is synced to the disk before it is given out: the disk's sync is what remains.",
            ),
    );
    Ok(())
}

/// Milliseconds for each of a batch.
fn ours_each(authority: &mut Authority, round: u32) -> Outcome<f64> {
    let start = Instant::now();
    for n in 0..BATCH {
        let name = NodeName::new(format!("w{}", round * BATCH + n))?;
        let key = KeyPair::generate()?;
        authority.issue(&key.csr_pem()?, &CertificateSpec::new(name, Role::Worker), Timestamp::now())?;
    }
    Ok(start.elapsed().as_secs_f64() * 1000.0 / f64::from(BATCH))
}

const CURVES: &[(&str, &str)] = &[("EASYRSA_ALGO", "ec"), ("EASYRSA_CURVE", "prime256v1")];

fn easy_rsa_begins(pki: &Path, variables: &[(&str, &str)]) -> Outcome<()> {
    easy_rsa(pki, variables, &["init-pki"])?;
    easy_rsa(pki, variables, &["build-ca", "nopass"])
}

fn easy_rsa_one(pki: &Path, variables: &[(&str, &str)], round: u32) -> Outcome<f64> {
    let start = Instant::now();
    easy_rsa(pki, variables, &["build-client-full", &format!("w{round}"), "nopass"])?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}

fn easy_rsa(pki: &Path, variables: &[(&str, &str)], words: &[&str]) -> Outcome<()> {
    let mut command = Command::new(EASY_RSA);
    command.arg("--batch").arg(format!("--pki-dir={}", pki.display())).args(words).envs(variables.iter().copied());
    let output = command.output().map_err(|error| format!("{EASY_RSA}: {error}; scripts/setup --bench installs it"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("easyrsa {}: {}: {said}", words.join(" "), output.status).into())
}
