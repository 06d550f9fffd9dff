import type { hosting as zh } from '../zh-CN/hosting'
import { count } from './count'

/** Of the server: how it is reached, who is on it, backups. */
export const hosting: typeof zh = {
  accounts: {
    page: 'Server accounts',
    text: (server) =>
      `Accounts on “${server}”. When somebody has lost the password and the recovery codes, you can reset the password.`,
    search: 'Find an account by name',
    none: 'No accounts found',
    admin: 'Server admin',
    nowhere: 'Not signed in',
    reset: 'Reset password',
    resetSure: (name) =>
      `Reset the password of ${name}? The present one and the recovery codes stop working, and every device is signed out. You get a code to hand over.`,
    made: (name, until) => `Hand this code to ${name}: it sets a new password once, until ${until}.`,
  },

  reach: {
    title: 'How the server is reached',
    letOthers: 'Let others join from other computers',
    letOthersHint:
      'The server then listens on all networks of this computer. Everything is encrypted on the way, and only people with an invite link or an account get in.',
    onlyHere: 'Only this computer can reach the server: nobody else can join.',
    noNetwork: 'This computer isn’t connected to a network, so nobody else can reach the server right now.',
    localOnly: (port) =>
      `The server can be reached from your local network only. For people elsewhere, have your router forward port ${port} to this computer, then enter your public address or a name that leads here.`,
    internet: 'One of these addresses leads here from the internet, if no firewall or router is in the way.',
    portTaken: (taken, port) =>
      `Another program uses port ${taken}, so the server took port ${port} for now. New invite links carry it; older ones find the server again when port ${taken} is free.`,
    own: 'Custom address',
    ownHint: 'A name or public address that leads to this computer. Invite links carry it first.',
    announce: 'Announce the server on the local network',
    announceHint:
      'Members on this network find it again automatically when this computer’s address changes. Only an ID, the port and the beginning of the key are shared, no names.',
    addresses: 'In invite links',
    from: { internet: 'Internet', localNetwork: 'Local network', thisComputer: 'This computer only' },
    key: 'Key fingerprint',
    keyHint: 'Invite links carry it. Whoever joins knows the server by it, wherever it moves.',
    copyKey: 'Copy the fingerprint',
    starting:
      'The server on this computer is starting. If it wasn’t closed properly it checks its data first, which can take minutes.',
    failed: 'The server on this computer isn’t running.',
    failures: {
      store_before:
        'Its data is from before the first release, which this version can’t read. Move the folder away to begin anew.',
      store_newer: 'A newer version of Tulou wrote its data. Update Tulou first.',
      store_damaged: 'Its data is damaged. Restore the latest backup; what is there now is set aside.',
      store_lost: 'Its data is gone, and only its key is left. Put the data back, or restore a backup.',
      in_use: 'Another program is using its folder. Close that program first.',
      no_room: 'The disk is full. Free up some space first.',
      no_rights: 'Tulou may not read or write its folder. Check the folder’s permissions.',
      storage: 'The disk couldn’t be read or written. Check the disk.',
      key_lost: 'Its key is gone, so members would not recognise it. Put the key file back, or restore a backup.',
      key_unreadable: 'Its key or certificate can’t be read. Restore the file from a backup.',
      no_port: 'No port is available. Check the firewall and other programs.',
      broken: 'A part of it broke, so it stopped. Start it again; what was written is kept.',
      host_failed: 'See the details.',
    },
    details: 'Details',
    startAgain: 'Start again',
    show: 'Show',
  },

  relocate: {
    title: 'Where is the server now?',
    text: (server) =>
      `Enter a new invite link or the new address of “${server}”. Your account and everything kept on this computer stay. The server has to prove that it is the same before anything is sent.`,
    go: 'Connect',
    found: 'The server was found',
    otherKeyTitle: 'The link has a different key',
    otherKeyText:
      'The server is known by one key, and this link has a different one. Somebody may be pretending to be the server. Continue only if the server’s admin has told you that the key was changed, and the new fingerprint matches theirs.',
    old: 'Known key',
    new: 'Key in the link',
    trust: 'Trust the new key',
    refuse: 'Don’t connect',
  },

  backup: {
    title: 'Backups',
    text: (kept) =>
      `Everything on the server in one file, including its key: keep it where nobody else can get at it. A backup is made automatically once a day at a quiet moment; the newest ${kept} are kept. Copy one to another disk now and then.`,
    none: 'No backups yet',
    now: 'Back up now',
    making: 'Backing up…',
    made: 'Backup complete',
    openFolder: 'Open folder',
    daily: 'Daily',
    manual: 'Manual',
    unreadable: 'Can’t be read',
    failed: 'The last backup failed.',
    restore: 'Restore',
    restoreOf: (when) => `Restore the backup of ${when}`,
    restoreOther: 'Restore from a backup…',
    restoreTitle: 'Restore from a backup',
    restoreText:
      'The server of the backup starts on this computer, with the same key: those who know it can follow it here.',
    file: 'Backup',
    filePlaceholder: 'The path of a file ending in .tulou-backup',
    choose: 'Choose a backup',
    browse: 'Choose…',
    holds: (communities, accounts) =>
      `${count(communities, 'community', 'communities')}, ${count(accounts, 'account', 'accounts')}`,
    replacesSame:
      'The server on this computer goes back to that day. What is there now is set aside in its folder, not deleted. People can resend what they’ve written since.',
    replacesOther: (name) =>
      `This computer hosts “${name}”, which stops. It is set aside in its folder, not deleted. Only one server runs on a computer.`,
    moves:
      'If the server still runs on another computer, stop it there first: with two servers of the same key, members connect to the wrong one.',
    restoring: 'Restoring…',
    restored: 'The server was restored from the backup',
    thenSignIn: 'The server is running. Sign in with your account on it.',
  },

  lost: {
    label: 'Messages that are gone',
    here: (n) =>
      `The server was restored from a backup. ${n === '1' ? 'One of your messages is' : `${n} of your messages are`} gone.`,
    others: (n) =>
      `${n === '1' ? 'One of your messages' : `${n} of your messages`} in other topics ${n === '1' ? 'is' : 'are'} gone from the restored server, too.`,
    text: 'They were written after the backup was made. Send them again, or discard them.',
    topicGone: 'The topic is gone, so they can’t be sent. You can copy the text.',
    show: 'Show',
    hide: 'Hide',
    send: 'Send again',
    sendAll: 'Send again',
    sendOf: (text) => `Send “${text}” again`,
    discardOf: (text) => `Discard “${text}”`,
    discardSure: (n) =>
      n === '1'
        ? 'Discard this message? There’s no other copy.'
        : `Discard these ${n} messages? There’s no other copy.`,
  },

  clock: {
    leapt: {
      here: 'The clock of this computer was changed, or is wrong. If date and time are right, there’s nothing to do. For a day the server deletes nothing that became old by this.',
      there:
        'The clock of the server’s computer was changed, or is wrong. If date and time there are right, there’s nothing to do. For a day the server deletes nothing that became old by this.',
    },
    behind: {
      here: 'The clock of this computer is behind what is stored on the server, so one of the two is wrong. Check date and time. Until then the server goes on from the later time.',
      there:
        'The clock of the server’s computer is behind what is stored there, so one of the two is wrong. Check date and time there. Until then the server goes on from the later time.',
    },
    doubted: {
      here: 'The clock of this computer may be ahead, or the server wasn’t used for a long time. If date and time are right, there’s nothing to do. For a day the server deletes nothing that became old by this.',
    },
    unsure: 'The server’s clock may be wrong, and so may the times shown here.',
    ahead: (by) => `The clock of this computer is ${by} ahead of the server’s. Times shown here are the server’s.`,
    late: (by) => `The clock of this computer is ${by} behind the server’s. Times shown here are the server’s.`,
  },

  room: {
    low: 'The disk with the server is nearly full. Free up space before the server has to stop writing.',
    full: 'The server has no room on its disk, so nothing can be written there now. You can read; what you write waits here and is sent when there is room.',
    fullMine:
      'The disk with the server is full: the server only reads until you free up space. Nothing is lost; what people write waits on their computers.',
    free: (size) => `${size} free.`,
  },
}
