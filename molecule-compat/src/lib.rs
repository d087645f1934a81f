//! Molecule's vocabulary for rplay: scenarios, step sequences and state. It never calls the engine.
