//! Layer 1: the event list and the run loop's limit.

pub mod event_list;

pub use event_list::EventList;
