//! One scenario: its settings, its folders, the variables that plays and drivers get.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::config::{self, Config, Written};
use crate::discover::Found;
use crate::failure::{Complaint, Failure, Result};
use crate::sequence::{self, Action, Step};
use crate::state::State;
use crate::{first, node};

/// What the command line and the environment say about all scenarios.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// The project's folder, complete.
    pub project: PathBuf,
    /// Where working folders of scenarios are made.
    pub cache: PathBuf,
    /// Files merged below every `molecule.yml`.
    pub base_config: Vec<PathBuf>,
    /// A file with variables for `molecule.yml`.
    pub env_file: Option<PathBuf>,
    /// `--debug`.
    pub debug: bool,
    /// `--driver-name`.
    pub driver: Option<String>,
    /// `--platform-name`.
    pub platform: Option<String>,
    /// `--shared-state`.
    pub shared_state: Option<bool>,
    /// `--parallel`: what makes names of this run its own.
    pub parallel: Option<String>,
    /// Arguments after `--`.
    pub ansible_args: Vec<String>,
    /// `--force`.
    pub force: bool,
    /// `--idempotence`, over the scenario's own choice.
    pub idempotence: Option<String>,
}

/// A scenario that is ready to be worked on.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its settings.
    pub config: Config,
    /// Its file.
    pub file: PathBuf,
    /// The folder of its file.
    pub directory: PathBuf,
    /// Its working folder.
    pub ephemeral: PathBuf,
    /// What holds for all scenarios.
    pub options: Options,
    /// What only a file of Molecule 1 says.
    pub first: Option<first::First>,
}

impl Scenario {
    /// Reads a scenario; the warnings are about its files.
    pub fn load(found: &Found, options: &Options) -> Result<(Scenario, Vec<Complaint>)> {
        let directory = found.file.parent().unwrap_or(Path::new("/")).to_path_buf();
        let mut scenario = Scenario {
            config: Config { data: config::defaults(), driver: None },
            file: found.file.clone(),
            directory,
            ephemeral: PathBuf::new(),
            options: options.clone(),
            first: None,
        };
        let env = scenario.with_env_file(options.env.clone())?;
        let text = read(&found.file)?;
        if found.first_version {
            let (old, warnings) = first::read(&text, &found.file, &env)?;
            (scenario.config, scenario.first) = (old.config(), Some(old));
            scenario.settle()?;
            return Ok((scenario, warnings));
        }
        let mut texts = Vec::new();
        for base in options.base_config.iter().filter(|base| base.exists()) {
            texts.push((base.clone(), read(base)?));
        }
        texts.push((found.file.clone(), text));
        let files: Vec<Written> = texts.iter().map(|(file, text)| Written { file, text }).collect();
        // names and folders first, since the files may ask for them
        scenario.config = config::load(&files, &found.name, &env, Some("MOLECULE_"))?.0;
        scenario.settle()?;
        let own = scenario.own_env(&scenario.config.driver.clone().unwrap_or_else(|| "default".into()));
        let env = scenario.with_env_file(env.into_iter().chain(own).collect())?;
        let (config, warnings) = config::load(&files, &found.name, &env, None)?;
        scenario.config = config;
        scenario.settle()?;
        if scenario.config.text("/ansible/executor/backend") == Some("ansible-navigator") {
            return Err(Complaint::new(format!("{}: ansible-navigator is not supported", found.file.display()))
                .help("rplay runs plays itself; leave `backend` out")
                .into());
        }
        Ok((scenario, warnings))
    }

    /// What the command line changes, and the working folder.
    fn settle(&mut self) -> Result<()> {
        if let Some(shared) = self.options.shared_state {
            self.config.data["shared_state"] = Value::Bool(shared);
        }
        if let Some(name) = self.options.platform.clone() {
            self.config.only_platform(&name)?;
        }
        if let Some(run) = &self.options.parallel {
            for host in self.config.data["platforms"].as_array_mut().into_iter().flatten() {
                host["name"] = Value::from(format!("{}-{run}", node::text(&host["name"])));
            }
        }
        self.ephemeral = match self.options.env.get("MOLECULE_EPHEMERAL_DIRECTORY").filter(|folder| !folder.is_empty()) {
            Some(folder) => self.options.project.join(folder),
            None => self.options.cache.join(self.folder_name()),
        };
        Ok(())
    }

    /// `project-digest-scenario`; scenarios that share their state share the folder.
    fn folder_name(&self) -> String {
        let project = &self.options.project;
        let digest = short(&format!("{}{}", project.display(), self.options.parallel.as_deref().unwrap_or_default()));
        let plain: String = project.file_name().unwrap_or_default().to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let name = if self.config.shared_state() { "shared".into() } else { self.name().replace('/', "--") };
        format!("{plain}-{digest}-{name}")
    }

    fn with_env_file(&self, mut env: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
        let Some(file) = self.options.env_file.as_ref().filter(|file| file.exists()) else { return Ok(env) };
        let node = node::read(&read(file)?, file)?;
        let pairs = node.pairs().ok_or_else(|| Complaint::at(node.place(file), "a file of variables is a mapping"))?;
        for (key, value) in pairs {
            let text = value.text().ok_or_else(|| Complaint::at(value.place(file), "a variable is a text"))?;
            env.insert(key.text().unwrap_or_default(), text);
        }
        Ok(env)
    }

    /// The scenario's name.
    pub fn name(&self) -> &str {
        self.config.name()
    }

    /// A path seen from the scenario's folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// The folder of the inventory that plays get.
    pub fn inventory(&self) -> PathBuf {
        self.ephemeral.join("inventory")
    }

    /// Where a create playbook says how hosts are reached.
    pub fn instance_config(&self) -> PathBuf {
        self.ephemeral.join("instance_config.yml")
    }

    /// The steps of a subcommand.
    pub fn steps(&self, subcommand: &str) -> Option<Vec<Step>> {
        if let Some(steps) = self.first.as_ref().and_then(|_| first::steps(subcommand)) {
            return Some(steps);
        }
        sequence::steps(self.config.at("/scenario"), subcommand)
    }

    /// The playbook of a step, if there is one. `converge.yml` may still be named `playbook.yml`, and is needed even when it is missing.
    pub fn playbook(&self, action: Action) -> Option<PathBuf> {
        let section = action.playbook()?;
        if let Some(first) = &self.first {
            return (section == "converge" || section == "verify").then(|| self.directory.join(&first.playbook));
        }
        let name = self.config.text(&format!("/ansible/playbooks/{section}"))?;
        let path = self.path(name);
        if path.exists() {
            return Some(path);
        }
        let old = path.with_file_name("playbook.yml");
        if section == "converge" {
            return Some(if path.ends_with("converge.yml") && old.is_file() { old } else { path });
        }
        None
    }

    /// The driver: the one that made the hosts, else the command line's, else the file's. Where none is named and nothing else makes the hosts, the lab.
    pub fn driver(&self, state: &State) -> Result<String> {
        let chosen = self.options.driver.clone();
        if let (Some(made), Some(chosen)) = (&state.driver, &chosen)
            && made != chosen
        {
            return Err(Failure::new(format!("the hosts of scenario {} were made by the driver {made}; destroy them before you take {chosen}", self.name())));
        }
        let default = || {
            let lab = !self.config.platforms().is_empty() && self.playbook(Action::Create).is_none() && self.config.managed();
            if lab { "lab" } else { "default" }.to_string()
        };
        Ok(state.driver.clone().or(chosen).or_else(|| self.config.driver.clone()).unwrap_or_else(default))
    }

    /// `MOLECULE_*`, as plays and playbooks of drivers expect them.
    pub fn own_env(&self, driver: &str) -> BTreeMap<String, String> {
        let path = |path: &Path| path.display().to_string();
        let tests = self.config.text("/verifier/directory").unwrap_or("tests");
        let text = |path: &str| self.config.text(path).unwrap_or_default().to_string();
        let pairs = [
            ("MOLECULE_DEBUG", if self.options.debug { "True" } else { "False" }.to_string()),
            ("MOLECULE_FILE", path(&self.ephemeral.join("molecule.yml"))),
            ("MOLECULE_ENV_FILE", self.options.env_file.as_deref().map(path).unwrap_or_default()),
            ("MOLECULE_STATE_FILE", path(&self.ephemeral.join("state.yml"))),
            ("MOLECULE_INVENTORY_FILE", path(&self.inventory().join("ansible_inventory.yml"))),
            ("MOLECULE_EPHEMERAL_DIRECTORY", path(&self.ephemeral)),
            ("MOLECULE_SCENARIO_DIRECTORY", path(&self.directory)),
            ("MOLECULE_PROJECT_DIRECTORY", path(&self.options.project)),
            ("MOLECULE_INSTANCE_CONFIG", path(&self.instance_config())),
            ("MOLECULE_DEPENDENCY_NAME", text("/dependency/name")),
            ("MOLECULE_DRIVER_NAME", driver.to_string()),
            ("MOLECULE_PROVISIONER_NAME", text("/provisioner/name")),
            ("MOLECULE_SCENARIO_NAME", self.name().to_string()),
            ("MOLECULE_VERIFIER_NAME", text("/verifier/name")),
            ("MOLECULE_VERIFIER_TEST_DIRECTORY", path(&self.path(tests))),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|error| Failure::io("read", file, &error))
}

/// Eight hexadecimal digits that stand for a text.
pub fn short(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
