//! Lists of members: any number of them, a page at a time. Members are not rows of a log, so they are asked for.

mod page;

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};
use tulou_protocol::{
    AccountId, Code, CommunityId, MemberGroupId, TopicId,
    frame::Refusal,
    limits,
    question::{Member as ListedMember, MemberSection, Members, Told},
};

use super::{
    App,
    answer::{QuestionAnswer, at_most},
};
use crate::{
    domain::Structure,
    store::{Listed, MemberSlice, SliceOf, StoreError},
};
use page::{Page, section_of, sections};

/// Up to so many members are looked at to count a section. In a larger community sections are counted by their member
/// groups, and no more than this is looked at for one page.
const LOOKED_AT: usize = 2_000;
/// Members that are read at once.
const READ: usize = 500;

/// What is asked for.
pub(super) struct Wanted {
    pub community: CommunityId,
    pub topic: Option<TopicId>,
    pub seats_of: Option<TopicId>,
    pub prefix: String,
    pub accounts: Vec<AccountId>,
    pub after: Option<String>,
    pub limit: usize,
}

/// Where a list goes on. As text it is JSON, and nobody's but the server's to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// In this section.
    section: Option<MemberGroupId>,
    /// Of those found by a prefix: by the name of the account.
    by_account: bool,
    /// After this member; none: from the first on.
    after: After,
}

/// A member by the key that lists are ordered by, and his account.
type After = Option<(String, AccountId)>;

/// Whether a list went to its end, or where it goes on.
type GoesOn = Option<Mark>;

impl App {
    pub(super) async fn list_members(&self, account: AccountId, wanted: Wanted) -> QuestionAnswer {
        let structure = self.listed_from(account, &wanted).await?;
        let after = match &wanted.after {
            None => None,
            Some(text) => {
                let mark = serde_json::from_str::<Mark>(text);
                Some(mark.map_err(|_| Refusal::Rejected(Code::Malformed.at("after")))?)
            }
        };
        at_most(limits::MEMBERS_PAGE, &wanted.accounts, "accounts")?;
        let mut page = Page {
            sections: sections(&structure),
            structure: &structure,
            topic: wanted.topic,
            seats_of: wanted.seats_of,
            found: Vec::new(),
            left: wanted.limit.clamp(1, limits::MEMBERS_PAGE),
            bytes_left: Page::room(&structure),
            looked_at: 0,
        };
        let told = if !wanted.accounts.is_empty() {
            self.named_here(&mut page, wanted.accounts.clone()).await
        } else if wanted.prefix.is_empty() {
            self.by_section(&mut page, after).await
        } else {
            self.by_prefix(&mut page, &wanted.prefix, after).await
        };
        let (counts, goes_on) = told.map_err(|error| Self::broken(&error))?;
        // Rights may have been taken away while it was read.
        self.listed_from(account, &wanted).await?;
        let next = goes_on.map(|mark| serde_json::to_string(&mark).unwrap_or_default());
        Ok(Told::Members(Members {
            sections: self.put_together(page, &counts),
            next,
        }))
    }

    /// The community that a list is of, if the account may have it.
    async fn listed_from(
        &self,
        account: AccountId,
        wanted: &Wanted,
    ) -> Result<Arc<Structure>, Refusal> {
        let (structure, member) = self.member_of(account, wanted.community).await?;
        let sight = structure.sight(&member);
        for (field, topic) in [("topic", wanted.topic), ("seats_of", wanted.seats_of)] {
            if topic.is_some_and(|id| !sight.sees(id)) {
                return Err(Refusal::Rejected(Code::NotFound.at(field)));
            }
        }
        Ok(structure)
    }

    async fn slice(
        &self,
        page: &Page<'_>,
        of: SliceOf,
        after: After,
    ) -> Result<Vec<Listed>, StoreError> {
        let slice = MemberSlice {
            of,
            after,
            limit: READ,
        };
        self.store().list_members(page.structure.id, slice).await
    }

    /// Those of some accounts who are members.
    async fn named_here(
        &self,
        page: &mut Page<'_>,
        accounts: Vec<AccountId>,
    ) -> Result<(Vec<u64>, GoesOn), StoreError> {
        let accounts: HashSet<AccountId> = accounts.into_iter().collect();
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        page.left = accounts.len();
        // Whoever is asked for and not named is no member.
        page.bytes_left = usize::MAX;
        for listed in self.slice(page, SliceOf::These(accounts), None).await? {
            page.take(listed);
        }
        Ok((page.count_found(), None))
    }

    /// Those whose names begin so: first by the name that is shown, then by the account's.
    async fn by_prefix(
        &self,
        page: &mut Page<'_>,
        prefix: &str,
        after: GoesOn,
    ) -> Result<(Vec<u64>, GoesOn), StoreError> {
        let prefix = prefix.to_lowercase();
        let (starts_by_account, mut from) =
            after.map_or((false, None), |mark| (mark.by_account, mark.after));
        for by_account in [false, true] {
            if starts_by_account && !by_account {
                continue;
            }
            let of = if by_account {
                SliceOf::Account(prefix.clone())
            } else {
                SliceOf::Display(prefix.clone())
            };
            let is_new = |listed: &Listed| {
                !by_account || !listed.display_name.to_lowercase().starts_with(&prefix)
            };
            if let Some(after) = self.walk(page, of, from.take(), is_new).await? {
                let mark = Mark {
                    section: None,
                    by_account,
                    after,
                };
                return Ok((page.count_found(), Some(mark)));
            }
        }
        Ok((page.count_found(), None))
    }

    /// Everybody, section by section.
    async fn by_section(
        &self,
        page: &mut Page<'_>,
        after: GoesOn,
    ) -> Result<(Vec<u64>, GoesOn), StoreError> {
        let counts = self.count_sections(page).await?;
        let (starts_in, mut from) = match after {
            Some(mark) => (mark.section, mark.after),
            None => (page.sections.first().copied().flatten(), None),
        };
        let sections = page.sections.clone();
        let known = sections.iter().position(|section| *section == starts_in);
        // Where a section is shown no more, its members are among those of all others: the list begins anew.
        let first = known.unwrap_or_else(|| {
            from = None;
            0
        });
        for section in &sections[first..] {
            let of = match section {
                Some(id) => SliceOf::MemberGroup(*id),
                None => SliceOf::Community,
            };
            let is_here = {
                let (structure, sections) = (page.structure, &sections);
                move |listed: &Listed| section_of(structure, sections, &listed.member) == *section
            };
            if let Some(after) = self.walk(page, of, from.take(), is_here).await? {
                let mark = Mark {
                    section: *section,
                    by_account: false,
                    after,
                };
                return Ok((counts, Some(mark)));
            }
        }
        Ok((counts, None))
    }

    /// Takes members in order until the page is full or enough was looked at. None if it went to the end, else after
    /// whom it goes on.
    async fn walk(
        &self,
        page: &mut Page<'_>,
        of: SliceOf,
        mut at: After,
        fits: impl Fn(&Listed) -> bool,
    ) -> Result<Option<After>, StoreError> {
        loop {
            let slice = self.slice(page, of.clone(), at.clone()).await?;
            let is_last = slice.len() < READ;
            for listed in slice {
                if page.left == 0 || page.looked_at >= LOOKED_AT {
                    return Ok(Some(at));
                }
                page.looked_at += 1;
                at = Some((listed.key.clone(), listed.member.account));
                if fits(&listed) {
                    page.take(listed);
                }
            }
            if is_last {
                return Ok(None);
            }
        }
    }

    /// How many members each section has: exactly where few enough are looked at, else as many as its member group.
    async fn count_sections(&self, page: &Page<'_>) -> Result<Vec<u64>, StoreError> {
        let structure = page.structure;
        if let Some(seats) = page.seats() {
            let listed = self.slice(page, SliceOf::These(seats), None).await?;
            return Ok(page.count(listed.iter().map(|listed| &listed.member)));
        }
        if structure.members() <= LOOKED_AT as u64 {
            let mut all = Vec::new();
            let mut after = None;
            loop {
                let slice = self.slice(page, SliceOf::Community, after.take()).await?;
                let is_last = slice.len() < READ;
                after = slice
                    .last()
                    .map(|listed| (listed.key.clone(), listed.member.account));
                all.extend(slice);
                if is_last {
                    break;
                }
            }
            return Ok(page.count(all.iter().map(|listed| &listed.member)));
        }
        let shown: Vec<MemberGroupId> = page.sections.iter().copied().flatten().collect();
        let mut counts = self
            .store()
            .count_in_member_groups(structure.id, shown.clone())
            .await?;
        let rest = structure.members().saturating_sub(counts.iter().sum());
        counts.push(rest);
        for (count, section) in counts.iter_mut().zip(&page.sections) {
            if !page.is_seen_by_those_in(*section) {
                *count = 0;
            }
        }
        Ok(counts)
    }

    fn put_together(&self, page: Page<'_>, counts: &[u64]) -> Vec<MemberSection> {
        let accounts: Vec<AccountId> = page
            .found
            .iter()
            .map(|(_, listed)| listed.member.account)
            .collect();
        let mut sections: Vec<MemberSection> = page
            .sections
            .iter()
            .zip(counts)
            .map(|(member_group, count)| MemberSection {
                member_group: *member_group,
                count: *count,
                members: Vec::new(),
            })
            .collect();
        for ((section, listed), online) in page
            .found
            .into_iter()
            .zip(self.presence().online(&accounts))
        {
            let at = page.sections.iter().position(|known| *known == section);
            let Some(section) = at.and_then(|at| sections.get_mut(at)) else {
                continue;
            };
            let seat = page.seats_of.is_some_and(|topic| {
                let account = listed.member.account;
                account == page.structure.community.body.owner
                    || matches!(page.structure.seat(topic, account), Some(Some(_)))
            });
            section.members.push(ListedMember {
                account: listed.member.account,
                account_name: listed.account_name,
                display_name: listed.display_name,
                joined_at: listed.member.joined_at,
                member_groups: page.structure.ranked(&listed.member),
                online,
                seat,
            });
        }
        sections.retain(|section| section.count > 0 || !section.members.is_empty());
        sections
    }
}
