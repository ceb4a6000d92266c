//! Any text is read as a template or refused with findings inside of it; what was read survives both syntaxes.

#![no_main]

use landbridge::template::{Format, Target, parse, to_opennebula, to_toml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for format in [Format::Opennebula, Format::Toml] {
        let parsed = match parse(text, format) {
            Ok(parsed) => parsed,
            Err(found) => {
                assert!(found.errors() > 0);
                assert!(found.list.iter().all(|finding| text.get(finding.place.span.clone()).is_some()));
                continue;
            }
        };
        let _ = parsed.findings_for(Target::Libvirt, text);
        let _ = parsed.findings_for(Target::Ec2, text);
        let toml = to_toml(&parsed.template);
        assert_eq!(parse(&toml, Format::Toml).expect("what we wrote").template, parsed.template);
        if let Ok(one) = to_opennebula(&parsed.template) {
            let again = parse(&one, Format::Opennebula);
            assert!(again.is_ok() || format == Format::Toml, "{one}");
        }
    }
});
