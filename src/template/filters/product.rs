//! Python's itertools: product, permutations, combinations, zip, zip_longest.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{elements, given, index_or, to_index};
use crate::value::{Fault, Value};

/// More tuples than this are a mistake.
const MOST: usize = 10_000_000;

fn tuple(items: Vec<Value>) -> Value {
    Value::Tuple(items.into())
}

fn unexpected(args: &Arguments, function: &str) -> Result<(), Fault> {
    match args.named.first() {
        Some(_) if function == "zip_longest" => Err(Fault::error("zip_longest() got an unexpected keyword argument")),
        Some((name, _)) => Err(Fault::error(format!("'{name}' is an invalid keyword argument for {function}()"))),
        None => Ok(()),
    }
}

/// All the inputs' elements.
fn all(input: &Value, args: &Arguments, env: &dyn Env) -> Result<Vec<Vec<Value>>, Fault> {
    std::iter::once(input).chain(&args.positional).map(|one| elements(one, env)).collect()
}

/// `product`.
///
/// # Errors
/// Not iterable.
pub fn product(input: Value, mut args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let repeat = index_or(args.take("repeat").as_ref(), 1)?;
    unexpected(&args, "product")?;
    let repeat = usize::try_from(repeat).map_err(|_| Fault::error("repeat argument cannot be negative"))?;
    let pools = vec![all(&input, &args, env)?; repeat].concat();
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for pool in pools {
        if rows.len().saturating_mul(pool.len()) > MOST {
            return Err(Fault::error("the product is too large"));
        }
        rows = rows.iter().flat_map(|row| pool.iter().map(move |item| row.iter().chain([item]).cloned().collect())).collect();
    }
    Ok(Value::list(rows.into_iter().map(tuple).collect()))
}

/// `permutations`.
///
/// # Errors
/// Not iterable.
pub fn permutations(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [length] = args.bind(signature("permutations", 1, 0), ["r"])?;
    let items = elements(&input, env)?;
    let length = given(length).map_or(Ok(items.len() as i128), |length| to_index(&length).map_err(|_| Fault::error("Expected int as r")))?;
    choices(items, length, false)
}

/// `combinations`.
///
/// # Errors
/// Not iterable.
pub fn combinations(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [length] = args.bind(signature("combinations", 1, 0), ["r"])?;
    let length = to_index(&length.ok_or_else(|| Fault::error("combinations() missing required argument 'r' (pos 2)"))?)?;
    choices(elements(&input, env)?, length, true)
}

fn choices(items: Vec<Value>, length: i128, ascending: bool) -> Result<Value, Fault> {
    let length = usize::try_from(length).map_err(|_| Fault::error("r must be non-negative"))?;
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..length.min(items.len() + 1) {
        let allowed = |row: &[usize], i: usize| if ascending { row.last().is_none_or(|last| i > *last) } else { !row.contains(&i) };
        rows = rows
            .into_iter()
            .flat_map(|row| (0..items.len()).filter(|i| allowed(&row, *i)).map(|i| [row.as_slice(), &[i]].concat()).collect::<Vec<_>>())
            .collect();
        if rows.len() > MOST {
            return Err(Fault::error("there are too many choices"));
        }
    }
    Ok(Value::list(rows.into_iter().map(|row| tuple(row.into_iter().map(|i| items[i].clone()).collect())).collect()))
}

/// `zip`.
///
/// # Errors
/// Not iterable, or lengths that differ where `strict` is asked.
pub fn zip(input: Value, mut args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let strict = args.take("strict").is_some_and(|strict| strict.is_true());
    unexpected(&args, "zip")?;
    let pools = all(&input, &args, env)?;
    let shortest = pools.iter().map(Vec::len).min().unwrap_or(0);
    if let (true, Some(at)) = (strict, pools.iter().position(|pool| pool.len() != pools[0].len())) {
        let how = if pools[at].len() < pools[0].len() { "shorter" } else { "longer" };
        return Err(Fault::error(format!("zip() argument {} is {how} than argument{}", at + 1, if at == 1 { " 1".to_string() } else { format!("s 1-{at}") })));
    }
    Ok(rows(&pools, shortest, &Value::Null))
}

/// `zip_longest`.
///
/// # Errors
/// Not iterable.
pub fn zip_longest(input: Value, mut args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let fill = args.take("fillvalue").unwrap_or(Value::Null);
    unexpected(&args, "zip_longest")?;
    let pools = all(&input, &args, env)?;
    let longest = pools.iter().map(Vec::len).max().unwrap_or(0);
    Ok(rows(&pools, longest, &fill))
}

fn rows(pools: &[Vec<Value>], count: usize, fill: &Value) -> Value {
    let row = |i: usize| tuple(pools.iter().map(|pool| pool.get(i).unwrap_or(fill).clone()).collect());
    Value::list((0..count).map(row).collect())
}
