//! What a run asks the person at the terminal.

use std::io::IsTerminal as _;

use super::console;
use crate::engine::StepAnswer;

/// `--step`: asks before a task.
pub(super) fn step(name: &str) -> StepAnswer {
    console::say(&format!("\nPerform task: TASK: {name} (N)o/(y)es/(c)ontinue: "));
    match console::line().unwrap_or_default().to_lowercase().as_str() {
        "y" | "yes" => StepAnswer::Yes,
        "c" | "continue" => StepAnswer::Continue,
        _ => StepAnswer::No,
    }
}

/// `vars_prompt`: asks, twice when it is to be confirmed. Without a terminal there is no answer.
pub(super) fn ask(prompt: &crate::playbook::Prompt, question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let default = prompt.default.as_ref().and_then(|node| node.as_str()).map(|text| format!(" [{text}]")).unwrap_or_default();
    loop {
        let once = |text: &str| {
            if prompt.private {
                console::secret(text).ok().inspect(|answer| crate::mask::remember(answer))
            } else {
                console::tell(text);
                console::line().ok()
            }
        };
        let answer = once(&format!("{question}{default}: "))?;
        if !prompt.confirm || once(&format!("confirm {question}{default}: "))? == answer {
            return Some(answer);
        }
        console::tell("***** VALUES ENTERED DO NOT MATCH ****\n");
    }
}
