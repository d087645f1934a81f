//! `random` and `shuffle`; with a seed they give exactly what Python's generator gives.

use sha2::Digest as _;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{elements, given, to_index, to_list};
use crate::value::{Fault, Value};

/// Where random numbers come from.
pub enum Source {
    /// The system.
    System,
    /// Python's Mersenne Twister, from a seed.
    Seeded(Box<Twister>),
}

impl Source {
    /// Python's `Random(seed)`; `None` is the system's source.
    ///
    /// # Errors
    /// A seed that is neither number nor text.
    pub fn new(seed: Option<&Value>) -> Result<Source, Fault> {
        let key = match seed {
            None | Some(Value::Null) => {
                crate::template::active::note("random()");
                return Ok(Source::System);
            }
            Some(Value::Int(n)) => words(&n.unsigned_abs().to_be_bytes()),
            Some(Value::Bool(b)) => vec![u32::from(*b)],
            Some(Value::Str(text)) => words(&[text.as_bytes(), &sha2::Sha512::digest(text.as_bytes())].concat()),
            Some(Value::Float(f)) if f.fract() == 0.0 => words(&(f.abs() as u128).to_be_bytes()),
            Some(other) => {
                return Err(Fault::error(format!(
                    "The only supported seed types are: None,\nint, float, str, bytes, and bytearray; not {}",
                    other.type_name()
                )));
            }
        };
        Ok(Source::Seeded(Box::new(Twister::new(&key))))
    }

    /// A number below `n`, as Python's `_randbelow` draws it.
    pub fn below(&mut self, n: u128) -> u128 {
        if n <= 1 && matches!(self, Source::System) {
            return 0;
        }
        let bits = 128 - n.leading_zeros();
        loop {
            let drawn = match self {
                Source::System => rand::random::<u128>().checked_shr(128 - bits).unwrap_or(0),
                Source::Seeded(twister) => twister.bits(bits),
            };
            if drawn < n {
                return drawn;
            }
        }
    }
}

/// Big-endian bytes as 32-bit words, the lowest first, without leading zeros.
fn words(bytes: &[u8]) -> Vec<u32> {
    let mut words: Vec<u32> = bytes.rchunks(4).map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))).collect();
    while words.len() > 1 && words.last() == Some(&0) {
        words.pop();
    }
    words
}

/// MT19937.
pub struct Twister {
    state: [u32; 624],
    index: usize,
}

impl Twister {
    fn new(key: &[u32]) -> Twister {
        let mut state = [0u32; 624];
        state[0] = 19_650_218;
        for i in 1..624 {
            state[i] = 1_812_433_253u32.wrapping_mul(state[i - 1] ^ state[i - 1] >> 30).wrapping_add(i as u32);
        }
        let mix = |state: &[u32; 624], i: usize, factor: u32| state[i] ^ (state[i - 1] ^ state[i - 1] >> 30).wrapping_mul(factor);
        let (mut i, mut j) = (1, 0);
        let step = |state: &mut [u32; 624], i: &mut usize, value: u32| {
            state[*i] = value;
            *i += 1;
            if *i == 624 {
                state[0] = state[623];
                *i = 1;
            }
        };
        for _ in 0..key.len().max(624) {
            let value = mix(&state, i, 1_664_525).wrapping_add(key[j]).wrapping_add(j as u32);
            step(&mut state, &mut i, value);
            j = (j + 1) % key.len();
        }
        for _ in 0..623 {
            let value = mix(&state, i, 1_566_083_941).wrapping_sub(i as u32);
            step(&mut state, &mut i, value);
        }
        state[0] = 0x8000_0000;
        Twister { state, index: 624 }
    }

    fn next(&mut self) -> u32 {
        if self.index == 624 {
            for k in 0..624 {
                let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % 624] & 0x7fff_ffff);
                self.state[k] = self.state[(k + 397) % 624] ^ (y >> 1) ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
            }
            self.index = 0;
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// Python's `getrandbits`.
    fn bits(&mut self, count: u32) -> u128 {
        let mut out = 0u128;
        let mut done = 0;
        while done < count {
            let take = (count - done).min(32);
            out |= u128::from(self.next() >> (32 - take)) << done;
            done += take;
        }
        out
    }
}

/// `random`.
///
/// # Errors
/// Neither number nor sequence, or an empty range.
pub fn random(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [start, step, seed] = args.bind(signature("rand", 2, 0), ["start", "step", "seed"])?;
    let mut source = Source::new(seed.as_ref())?;
    let (start, step) = (given(start).filter(Value::is_true), given(step).filter(Value::is_true));
    if let Value::Int(_) | Value::Bool(_) = input {
        let start = start.map_or(Ok(0), |start| to_index(&start))?;
        let step = step.map_or(Ok(1), |step| to_index(&step))?;
        let end = to_index(&input)?;
        let count = (end - start + step - step.signum()) / step;
        if count <= 0 {
            return Err(Fault::error(if step == 1 {
                format!("empty range for randrange() ({start}, {end}, {})", end - start)
            } else {
                "empty range for randrange()".into()
            }));
        }
        return Ok(Value::Int(start + step * source.below(count as u128) as i128));
    }
    if matches!(input, Value::Float(_) | Value::Null) {
        return Err(Fault::error("random can only be used on sequences and integers"));
    }
    if start.is_some() || step.is_some() {
        return Err(Fault::error("start and step can only be used with integer values"));
    }
    let items = elements(&input, env)?;
    match items.len() {
        0 => Err(Fault::error("Cannot choose from an empty sequence")),
        len => Ok(items[source.below(len as u128) as usize].clone()),
    }
}

/// `shuffle`; what is no list comes back as it is.
///
/// # Errors
/// A part has no value.
pub fn shuffle(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [seed] = args.bind(signature("randomize_list", 1, 0), ["seed"])?;
    let mut items = match (&input, to_list(&input)?) {
        (_, Some(items)) => items,
        (Value::Str(_) | Value::Dict(_) | Value::Object(_), None) => elements(&input, env)?,
        _ => return Ok(input),
    };
    let mut source = Source::new(seed.as_ref().filter(|seed| seed.is_true()))?;
    for i in (1..items.len()).rev() {
        items.swap(i, source.below(i as u128 + 1) as usize);
    }
    Ok(Value::list(items))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_what_python_gives() {
        let mut source = Source::new(Some(&"host1".into())).unwrap();
        assert_eq!(source.below(100), 62);
        let mut source = Source::new(Some(&Value::Int(42))).unwrap();
        assert_eq!([0; 5].map(|_| source.below(100)), [81, 14, 3, 94, 35]);
    }
}
