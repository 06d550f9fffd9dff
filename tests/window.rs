//! The product in its real window, used as a person would; others take part without a window. Needs a display, a
//! session bus with a keyring, and WebKitWebDriver: `cargo xtask test` provides them.

#[path = "window/accounts.rs"]
mod accounts;
#[path = "window/corpus.rs"]
mod corpus;
#[path = "window/deletion.rs"]
mod deletion;
#[path = "window/driver.rs"]
mod driver;
#[path = "window/host.rs"]
mod host;
#[path = "window/hosting.rs"]
mod hosting;
#[path = "window/keyring.rs"]
mod keyring;
#[path = "window/looks.rs"]
mod looks;
#[path = "window/not_hosting.rs"]
mod not_hosting;
#[path = "window/offline.rs"]
mod offline;
#[path = "window/ordering.rs"]
mod ordering;
#[path = "../crates/client/tests/talk/other_version.rs"]
mod other_version;
#[path = "window/person.rs"]
mod person;
#[path = "window/restored.rs"]
mod restored;
#[path = "window/rows.rs"]
mod rows;
#[path = "window/screens.rs"]
mod screens;
#[path = "window/small_disk.rs"]
mod small_disk;
#[path = "window/standalone.rs"]
mod standalone;
#[path = "window/staying.rs"]
mod staying;
#[path = "window/stores.rs"]
mod stores;
#[path = "window/stranded.rs"]
mod stranded;
#[path = "window/transfer.rs"]
mod transfer;
#[path = "window/two_people.rs"]
mod two_people;
#[path = "window/writing.rs"]
mod writing;
