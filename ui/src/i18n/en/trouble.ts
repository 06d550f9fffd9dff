import type { trouble as zh } from '../zh-CN/trouble'
import { count } from './count'

/** Of what went wrong. */
export const trouble: typeof zh = {
  rejected: {
    title: (what, subject) => (subject ? `Could not ${what} “${subject}”` : `Could not ${what}`),
    methods: {
      'community.create': 'create the community',
      'community.edit': 'change the community',
      'community.join': 'join the community',
      'community.leave': 'leave the community',
      'community.transfer': 'hand over the community',
      'community.dissolve': 'dissolve the community',
      'group.create': 'create the group',
      'group.edit': 'change the group',
      'group.delete': 'delete the group',
      'topic.create': 'create the topic',
      'topic.edit': 'change the topic',
      'topic.delete': 'delete the topic',
      'seat.set': 'change a seat in',
      'member_group.create': 'create the member group',
      'member_group.edit': 'change the member group',
      'member_group.delete': 'delete the member group',
      'member_group.assign': 'assign the member group',
      'access.set': 'change the permission',
      'member.kick': 'remove the member',
      'profile.edit': 'change the profile',
      'message.send': 'send the message',
      'message.edit': 'edit the message',
      'message.recall': 'recall the message',
      'message.react': 'react to the message',
      'message.pin': 'pin the message',
      'cursor.advance': 'mark as read',
      'cursor.set': 'mark as unread',
      'notify.set': 'change the notifications',
      other: 'do that',
    },
  },

  stranded: {
    label: 'Drafts whose topic is not available',
    title: (name) => (name ? `Draft for “${name}”, which is not available` : 'Draft for a topic that is not available'),
    copyOf: (what) => `Copy: ${what}`,
    discardOf: (what) => `Discard: ${what}`,
    discardSure: 'Discard this draft? It is nowhere else.',
  },

  errors: {
    not_allowed: (permission) =>
      permission ? `You lack the permission “${permission}”.` : 'You are not allowed to do that.',
    too_long: (limit) => (limit ? `Too long: at most ${limit} bytes.` : 'Too long.'),
    too_long_by: {
      characters: (limit, count) => `Too long: at most ${limit} characters, and this has ${count}.`,
      bytes: (limit, count) =>
        `Too long: at most ${limit} bytes, and this has ${count}. An emoji takes many, a Chinese character 3.`,
    },
    too_many: (limit) => (limit ? `Too many: at most ${limit}.` : 'Too many.'),
    too_many_of: {
      mentions: (limit) => `A message can mention at most ${limit} people.`,
      reactions: (limit) => `A message can have at most ${limit} different reactions. Add to one that is there.`,
      pins: (limit) => `A topic can have at most ${limit} pinned messages. Unpin some first.`,
    },
    empty: 'This needs something that can be seen.',
    not_an_emoji: 'Only an emoji can be a reaction.',
    bad_characters: 'It has characters that are not allowed.',
    malformed: 'That is not in the right form.',
    too_short: 'Too short.',
    not_yours: 'Only the person who wrote it can do that.',
    not_owner: 'Only the owner of the community can do that.',
    not_admin: 'Only an admin of this server can do that.',
    not_found: 'Not found; it may have been deleted.',
    id_taken: 'This id is taken.',
    changed_meanwhile: 'Somebody changed it meanwhile. Look at it again, then retry.',
    not_a_member: 'You are not a member of this community.',
    closed: 'This server does not take new accounts.',
    invite_needed: 'You need an invite link for that.',
    invite_invalid: 'The invite link is invalid, expired or used up.',
    name_taken: 'This account name is taken.',
    wrong_password: 'Wrong account name or password.',
    wrong_code: 'Wrong account name or recovery code, or the code was used.',
    owns_communities: 'You still own a community: hand it over or dissolve it first.',
    server_admin: 'You administrate this server, so this account cannot be deleted.',
    weak_password: 'The password is too weak: use at least 8 characters.',
    recall_too_late: 'It is too late to recall this message.',
    edit_too_late: 'It is too late to edit this message.',
    muted: 'You are muted.',
    rank_too_low: 'They, or the member group, are of your rank or above.',
    group_not_empty: 'The group still has topics: move or delete them first.',
    gone: 'The message was recalled.',
    already: 'It is already so.',
    last_owner: 'The owner stays: the community has to be handed over or dissolved first, from its menu.',
    offline: 'You are offline, and this needs the server.',
    sign_ups: (minutes) =>
      minutes
        ? `Too many new accounts are being made, from your network or on this server: try again in ${count(minutes, 'minute', 'minutes')}.`
        : 'Too many new accounts are being made: try again later.',
    busy: (seconds) => (seconds ? `Too fast: try again in ${seconds} s.` : 'Too fast: try again shortly.'),
    unreachable: 'The server cannot be reached. Check the address and the network.',
    certificate:
      'The server cannot be verified by its address. Use an invite link: it carries the key that the server is known by.',
    certificate_changed:
      'The server has another key than the one it is known by, so the connection was ended. Nothing was sent.',
    other_server: 'That leads to another server.',
    unencrypted: 'An unencrypted address works on this computer only. Use an invite link, or an address with wss://.',
    bad_address: 'That is no address that others could use. An example: house.example.org',
    too_old: 'This server speaks an older version: whoever runs it has to update it.',
    too_new: 'This comes from a newer version of the program: please update.',
    signed_out: 'Your sign-in has ended. Sign in again.',
    storage: 'Reading or writing on this computer’s disk failed.',
    no_room: 'The disk of this computer is full, so this could not be kept. What you wrote is still in the input.',
    keyring: 'The system’s keyring does not answer.',
    outdated: 'This server speaks a newer version: update Tulou.',
    bad_link: 'This link cannot be opened: only web and mail links can.',
    host_failed: 'The server could not be started. Its port may be in use.',
    unknown_method: 'This server cannot do that yet.',
    cannot_write: 'You cannot write to this person now.',
    server_full: 'The disk of the server is full: nothing new is taken until there is room.',
    not_a_backup: 'This file is not a backup of a Tulou server.',
    backup_damaged: 'The backup is damaged: it was cut off or changed. Nothing was touched.',
    store_damaged: 'The store of the server is damaged, so no backup was made of it. Restore an earlier one.',
    backup_newer: 'The backup was written by a newer version of the program: please update. Nothing was touched.',
    backup_no_room: 'There is too little room on the disk for the backup.',
    in_use: 'Another program is using the server’s folder.',
    exists: 'There is a file of this name already.',
    internal: 'Something broke in the program.',
    unknown: (code) => `That did not work (${code}).`,
  },

  store: {
    tile: (account) => `The history of ${account} cannot be opened`,
    account: 'Account',
    file: 'File',
    openFolder: 'Open folder',
    again: 'Try again',
    noRoom:
      'The disk of this computer is full. You can go on reading; what you write stays in the input and cannot be sent. Make some room, and Tulou goes on.',
    aside: 'The history on this computer was damaged, so a new one was begun. Messages come again from the server.',
    kept: (what) => `Taken along: ${what}.`,
    keptChanges: (n) => count(n, 'change that waited to be sent', 'changes that waited to be sent'),
    keptDrafts: (n) => count(n, 'draft', 'drafts'),
    keptNothing: 'Nothing was waiting to be sent.',
    notWhole: 'Not all of it could be read: something that waited may be missing, so have a look.',
    damagedFile: 'Nothing was deleted; the damaged file is',
    in: 'in',
    troubles: {
      tooNew: {
        title: 'This history was written by a newer Tulou',
        text: 'Install the newest version to open it. Nothing was changed, and your other accounts go on as usual.',
      },
      damaged: {
        title: 'This history is damaged',
        text: 'It could not be set aside by itself, or breaks again and again: the disk may be failing. Check the disk and the folder, then try again.',
      },
      locked: {
        title: 'Another program is using this history',
        text: 'Perhaps a second Tulou, or a backup. It opens by itself when the file is free.',
      },
      noRights: {
        title: 'Tulou may not write this history',
        text: 'Give yourself the right to write the file and its folder, then try again.',
      },
      noRoom: {
        title: 'There is no room for this history',
        text: 'The disk of this computer is full. Make some room; it opens by itself then.',
      },
      unreadable: {
        title: 'The disk does not give this history',
        text: 'The disk may be failing or have been taken out. Check it, then try again.',
      },
    },
  },

  list: {
    aside: 'The list of accounts on this computer was damaged, so a new one was made from the histories that are here.',
    found: (n) =>
      `${n === '0' ? 'No account was' : count(n, 'account was', 'accounts were')} found again. If one is missing, join again by its invite link and sign in.`,
    unkept:
      'The accounts whose histories are on this computer are there as usual. An account that is added now, or an address that changes, is not kept.',
    troubles: {
      tooNew: 'The list of accounts was written by a newer Tulou: install the newest version.',
      damaged: 'The list of accounts is damaged and cannot be set aside: the disk may be failing or full.',
      locked: 'Another program is using the list of accounts.',
      noRights: 'Tulou may not read or write the list of accounts: give yourself the right to, then try again.',
      noRoom: 'There is no room for the list of accounts: the disk of this computer is full.',
      unreadable: 'The disk does not give the list of accounts: check it, then try again.',
    },
  },

  field: {
    missing: 'Fill this in',
    tooShort: (n) => `At least ${n} characters`,
    unseen: 'Nothing of this can be seen',
    left: (n) => `${count(n, 'character', 'characters')} left`,
    over: {
      characters: (n) => `Too long by ${count(n, 'character', 'characters')}`,
      bytes: (n) => `Too long by ${count(n, 'byte', 'bytes')}: an emoji takes many`,
    },
  },
  states: {
    failed: 'Loading failed',
    crashed: 'The program could not start',
  },
}
