//! A Tulou client on a machine.
pub mod action;
pub mod view;
