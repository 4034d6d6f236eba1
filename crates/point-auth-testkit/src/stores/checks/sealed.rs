//! What is in the store tells nothing.

use point_auth_core::session::SignInResult;

use super::super::bench::Bench;
use super::super::violation::{Outcome, Rule, Violation, ensure};
use super::super::worker::{Fleet, denial, granted};

pub(in super::super) const RULE: Rule = Rule::Sealed;

/// The word that is in all secrets of the fleet: plain, as UTF-16, in hexadecimal, and in base64,
/// of which there are three forms, by how much precedes it. In lower case.
const FORMS: [&[u8]; 6] =
    [b"canary", b"c\0a\0n\0a\0r\0y", b"63616e617279", b"y2fuyxj5", b"nhbmfye", b"jyw5hcn"];

pub(in super::super) fn no_secret_can_be_read_in_the_store(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let mut worker = fleet.worker()?;
    let password = fleet.password("canary-password")?;
    let grant = granted(worker.sign_in(&password)?)?;
    worker.renew(grant)?;
    let denied = password.with_user_alias("canary-alias");
    let denied = denied.map_err(|error| Violation::new(error.to_string()))?;
    let grant = granted(worker.sign_in(&denied)?)?;
    worker.settle(grant, SignInResult::Denied(&denial()), None)?;

    let written = fleet.written();
    ensure!(!written.is_empty(), "nothing was written");
    ensure!(!written.iter().any(|bytes| has_canary(bytes)), "a secret was given to the store");
    if let Some(dump) = bench.candidate.dump() {
        ensure!(!dump.is_empty(), "the dump of the store has nothing in it");
        ensure!(
            !dump.iter().any(|bytes| has_canary(bytes)),
            "a secret is in the dump of the store"
        );
    }
    Ok(())
}

fn has_canary(bytes: &[u8]) -> bool {
    let bytes = bytes.to_ascii_lowercase();
    FORMS.iter().any(|form| bytes.windows(form.len()).any(|window| window == *form))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form() {
        for before in ["", "a", "ab", "abc"] {
            let secret = format!("{before}canary{before}");
            assert!(has_canary(secret.as_bytes()));
            assert!(has_canary(STANDARD.encode(&secret).as_bytes()));
            let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
            assert!(has_canary(hex.as_bytes()));
            let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(has_canary(&wide));
        }
        assert!(!has_canary(b"can ary \xff"));
    }
}
