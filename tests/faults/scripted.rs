//! Scenarios worth a name.
