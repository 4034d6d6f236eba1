//! The two scripts, the commands that run them, and their replies.

use std::mem;
use std::time::Duration;

use point_auth_store::{EntryName, Loaded, StoreError, Swapped};
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, Script, ServerErrorKind, Value};

use crate::error::{store_error, unexpected};

/// The value and the time.
const LOAD: &str = "
local now = redis.call('TIME')
return {now[1], now[2], redis.call('GET', KEYS[1])}
";

/// Whether it was done, and the time. Of a command that is sent once more, the first sending may
/// have done it. Sealed values never repeat, so that the value tells.
const SWAP: &str = "
local now = redis.call('TIME')
local value = redis.call('GET', KEYS[1])
if ARGV[1] == '1' and value == ARGV[2] then
  return {now[1], now[2], 1}
end
if value ~= (ARGV[4] or false) then
  return {now[1], now[2], 0}
end
if ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return {now[1], now[2], 1}
";

/// Both scripts.
pub(crate) struct Scripts {
    load: Source,
    swap: Source,
}

struct Source {
    code: &'static str,
    hash: String,
}

impl Source {
    fn new(code: &'static str) -> Self {
        Self { code, hash: Script::new(code).get_hash().to_owned() }
    }
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self { load: Source::new(LOAD), swap: Source::new(SWAP) }
    }

    pub(crate) fn load(&self, name: &EntryName) -> Call<'_> {
        Call::new(&self.load, name, Vec::new())
    }

    pub(crate) fn swap<'a>(
        &'a self,
        name: &EntryName,
        expected: Option<&'a [u8]>,
        value: &'a [u8],
        keep_for: Option<Duration>,
    ) -> Call<'a> {
        let mut arguments = vec![value.into(), milliseconds(keep_for).to_string().into_bytes()];
        arguments.extend(expected.map(Into::into));
        Call::new(&self.swap, name, arguments)
    }
}

/// Rounded up, since a value must not end early. Zero: for good.
fn milliseconds(keep_for: Option<Duration>) -> u64 {
    /// Redis refuses what is not a time of its clock.
    const MOST: u64 = u64::MAX / 4;
    let Some(keep_for) = keep_for else { return 0 };
    let rounded = keep_for.as_nanos().div_ceil(1_000_000).max(1);
    u64::try_from(rounded).ok().filter(|rounded| *rounded <= MOST).unwrap_or(0)
}

/// A run of a script on one key.
pub(crate) struct Call<'a> {
    source: &'a Source,
    key: String,
    arguments: Vec<Vec<u8>>,
    /// With the script's text, and not its hash alone.
    in_full: bool,
    is_repeated: bool,
}

impl<'a> Call<'a> {
    fn new(source: &'a Source, name: &EntryName, arguments: Vec<Vec<u8>>) -> Self {
        Self { source, key: name.to_string(), arguments, in_full: false, is_repeated: false }
    }

    pub(crate) fn command(&self) -> Cmd {
        let mut command = if self.in_full {
            let mut command = redis::cmd("EVAL");
            command.arg(self.source.code);
            command
        } else {
            let mut command = redis::cmd("EVALSHA");
            command.arg(&self.source.hash);
            command
        };
        command.arg(1).arg(&self.key).arg(u8::from(self.is_repeated)).arg(&self.arguments);
        command
    }

    /// Returns whether the command is to be sent again after this error: in full where Redis does
    /// not know the script, and once more where the connection had ended.
    pub(crate) fn goes_on_after(&mut self, error: &RedisError) -> bool {
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) {
            return !mem::replace(&mut self.in_full, true);
        }
        // A reply that ends in the middle is one that cannot be parsed.
        let has_ended = error.is_connection_dropped() || error.kind() == ErrorKind::Parse;
        has_ended && !mem::replace(&mut self.is_repeated, true)
    }
}

pub(crate) fn loaded(reply: Value) -> Result<Loaded, StoreError> {
    let (now, value) = parse(reply)?;
    Ok(Loaded { value, now })
}

pub(crate) fn swapped(reply: Value) -> Result<Swapped, StoreError> {
    let (now, done) = parse(reply)?;
    Ok(Swapped { done, now })
}

fn parse<T: FromRedisValue>(reply: Value) -> Result<(Duration, T), StoreError> {
    let reply = reply.extract_error().map_err(|error| store_error(&error))?;
    let parsed = redis::from_redis_value::<(u64, u32, T)>(reply);
    let (seconds, microseconds, rest) = parsed.map_err(|_| unexpected())?;
    let microseconds = Duration::from_micros(microseconds.into());
    Ok((Duration::from_secs(seconds).saturating_add(microseconds), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_and_one_that_redis_has_no_number_for_is_for_good() {
        let cases = [
            (None, 0),
            (Some(Duration::ZERO), 1),
            (Some(Duration::from_nanos(1)), 1),
            (Some(Duration::from_millis(5)), 5),
            (Some(Duration::from_nanos(5_000_001)), 6),
            (Some(Duration::MAX), 0),
        ];
        for (keep_for, expected) in cases {
            assert_eq!(milliseconds(keep_for), expected, "{keep_for:?}");
        }
    }
}
