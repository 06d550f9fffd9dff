//! Live commands on their way: never queued, told to whoever gave them.

use std::collections::BTreeMap;

use tulou_protocol::{
    ClientFrame, Command, CommandId, Commanded, CommunityId, frame::Request, id::Millis,
};

use crate::{
    io::{Output, Ticket},
    turn::Turn,
};

/// A live command on its way.
#[derive(Debug)]
pub struct LiveCommand {
    /// Who gave it.
    pub ticket: Ticket,
    sent_at: Millis,
    /// The community that it may bring.
    pub brings: Option<CommunityId>,
}

/// Live commands on their way, by id.
#[derive(Debug, Default)]
pub struct LiveCommands(BTreeMap<CommandId, LiveCommand>);

impl LiveCommands {
    pub fn send(&mut self, ticket: Ticket, id: CommandId, command: Command, turn: &mut Turn) {
        let live = LiveCommand {
            ticket,
            sent_at: turn.now(),
            brings: brings(&command),
        };
        self.0.insert(id, live);
        let frame = ClientFrame(vec![Request::Command(Commanded { id, command })]);
        turn.push(Output::Send(frame));
    }

    /// The one that was answered.
    pub fn take(&mut self, id: CommandId) -> Option<LiveCommand> {
        self.0.remove(&id)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the oldest that is unanswered was sent.
    pub fn oldest(&self) -> Option<Millis> {
        self.0.values().map(|live| live.sent_at).min()
    }

    /// The link is lost: nobody knows what becomes of these.
    pub fn lose_link(&mut self) -> impl Iterator<Item = Ticket> {
        std::mem::take(&mut self.0)
            .into_values()
            .map(|live| live.ticket)
    }
}

/// The community that a command makes known, before the membership row says so.
pub const fn brings(command: &Command) -> Option<CommunityId> {
    if let Command::CommunityCreate { community, .. } | Command::CommunityJoin { community, .. } =
        command
    {
        Some(*community)
    } else {
        None
    }
}
