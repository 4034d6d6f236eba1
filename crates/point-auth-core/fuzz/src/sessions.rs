//! The target `sessions`: anything that can be told to a session, in any order, at any time, under
//! any policy.
//!
//! An input is numbers: the policy, both clocks, the kind of session, and then one operation after
//! the other until they run out. What must hold is reckoned from what was told, and is the cheap
//! part of it; the tests of core know the rules by heart.

mod parts;
mod story;
mod told;

use arbitrary::Unstructured;

use story::Story;

/// Operations in one input, at the most.
const STEPS: usize = 300;

/// Tells a story to a session.
///
/// # Panics
/// When there are two exchanges at once, a token that is over, a wait that never ends, a secret in
/// what is shown, or the like.
pub fn sessions(data: &[u8]) {
    let mut input = Unstructured::new(data);
    // It only ends early where the input does.
    let _end = tell(&mut input);
}

fn tell(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let mut story = Story::begin(input)?;
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        story.step(input)?;
    }
    story.end();
    Ok(())
}
