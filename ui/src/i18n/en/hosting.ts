import type { hosting as zh } from '../zh-CN/hosting'
import { count } from './count'

/** Of the server: how it is reached, who is on it, backups. */
export const hosting: typeof zh = {
  accounts: {
    page: 'Server accounts',
    text: (server) =>
      `Accounts on “${server}”. When somebody has lost the password and the recovery codes, you can reset the account.`,
    search: 'Find an account by name',
    none: 'No accounts found',
    admin: 'administrates the server',
    nowhere: 'signed in nowhere',
    reset: 'Reset',
    resetSure: (name) =>
      `Reset the account of ${name}? The password and recovery codes stop working and every device is signed out. You get a code to hand over.`,
    made: (name, until) => `Hand this code to ${name}: it sets a new password once, until ${until}.`,
  },

  reach: {
    title: 'How the server is reached',
    letOthers: 'Let others join from other computers',
    letOthersHint:
      'The server then listens on all networks of this computer. Everything is encrypted on the way, and only people with an invite link or an account get in.',
    onlyHere: 'Only this computer reaches the server: nobody else can join.',
    noNetwork: 'This computer is in no network, so nobody else reaches the server now.',
    localOnly: (port) =>
      `The server is reached from your local network only. For people elsewhere, have your router forward port ${port} to this computer, then enter your public address or a name that leads here.`,
    internet: 'One of these addresses leads here from the internet, if no firewall or router is in the way.',
    portTaken: (taken, port) =>
      `Another program uses port ${taken}, so the server took port ${port} for now. New invite links carry it; older ones find the server again when port ${taken} is free.`,
    own: 'Address of your own',
    ownHint: 'A name or public address that leads to this computer. Invite links carry it first.',
    announce: 'Announce the server in the local network',
    announceHint:
      'Members in this network find it again by themselves when this computer gets another address. Only an id, the port and the beginning of the key are told, no names.',
    addresses: 'In invite links',
    from: { internet: 'from the internet', localNetwork: 'local network', thisComputer: 'this computer only' },
    key: 'Key fingerprint',
    keyHint: 'Invite links carry it. Whoever joins knows the server by it, wherever it moves.',
    copyKey: 'Copy the fingerprint',
    failed: 'The server on this computer is not running.',
    failures: {
      store_newer: 'A newer version of Tulou wrote its data. Update Tulou first.',
      store_damaged: 'Its data is damaged. Restore the latest backup; what is there now is set aside.',
      store_lost: 'Its data is gone, and only its key is left. Put the data back, or restore a backup.',
      in_use: 'Another program is using its folder. Close that program first.',
      no_room: 'The disk is full. Make some room first.',
      no_rights: 'Tulou may not read or write its folder. Check the folder’s permissions.',
      storage: 'The disk could not be read or written. Check the disk.',
      key_lost: 'Its key is gone, so members would not recognise it. Put the key file back, or restore a backup.',
      key_unreadable: 'Its key or certificate cannot be read. Restore the file from a backup.',
      no_port: 'There is no port it could use. Check the firewall and other programs.',
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
    otherKeyTitle: 'The link names another key',
    otherKeyText:
      'The server is known by one key, and this link names another. Somebody may be pretending to be the server. Go on only if whoever runs it has told you that the key was changed, and the new fingerprint is theirs.',
    old: 'Known so far',
    new: 'In the link',
    trust: 'Trust the new key',
    refuse: 'Do not connect',
  },

  backup: {
    title: 'Backups',
    text: (kept) =>
      `Everything of the server in one file, its key as well: keep it where nobody else gets at it. Once a day one is made by itself at a quiet moment; the newest ${kept} are kept. Copy one to another disk now and then.`,
    none: 'No backup has been made yet.',
    now: 'Back up now',
    making: 'Backing up…',
    made: 'The backup was made',
    openFolder: 'Open folder',
    daily: 'daily',
    manual: 'by hand',
    unreadable: 'cannot be read',
    failed: 'The last backup was not made.',
    restore: 'Restore',
    restoreOf: (when) => `Restore the backup of ${when}`,
    restoreOther: 'Restore from a backup…',
    restoreTitle: 'Restore from a backup',
    restoreHint: 'Bring a server to this computer from one file, with its communities and accounts.',
    restoreText:
      'The server of the backup starts on this computer, with the same key: those who know it can follow it here.',
    file: 'Backup',
    filePlaceholder: 'The path of a file ending in .tulou-backup',
    choose: 'Choose a backup',
    browse: 'Choose…',
    holds: (communities, accounts) =>
      `${count(communities, 'community', 'communities')}, ${count(accounts, 'account', 'accounts')}`,
    replacesSame:
      'The server on this computer goes back to that day. What is there now is set aside in its folder, not deleted. People are offered to send again what they wrote since.',
    replacesOther: (name) =>
      `This computer hosts “${name}”, which stops. It is set aside in its folder, not deleted. Only one server runs on a computer.`,
    moves: 'If the server still runs on another computer, end it there first: two with the same key confuse everybody.',
    restoring: 'Restoring…',
    restored: 'The server was restored from the backup',
    thenSignIn: 'The server runs. Sign in with an account that you have on it.',
  },

  lost: {
    label: 'Messages that are not there any more',
    here: (n) =>
      `The server was restored from a backup. ${n === '1' ? 'One of your messages is' : `${n} of your messages are`} not there any more.`,
    others: (n) =>
      `${n === '1' ? 'One of your messages' : `${n} of your messages`} in other topics ${n === '1' ? 'is' : 'are'} not on the restored server any more, either.`,
    text: 'They were written after the backup was made. Send them again, or let them go.',
    topicGone: 'The topic is not there any more, so they cannot be sent. You can copy the text.',
    show: 'Show',
    hide: 'Hide',
    send: 'Send again',
    sendAll: 'Send again',
    sendOf: (text) => `Send “${text}” again`,
    discardOf: (text) => `Discard “${text}”`,
    discardSure: (n) =>
      n === '1' ? 'Discard this message? It is nowhere else.' : `Discard these ${n} messages? They are nowhere else.`,
  },

  room: {
    low: 'The disk with the server is nearly full. Make room before the server has to stop writing.',
    full: 'The server has no room on its disk, so nothing can be written there now. You can read; what you write waits here and is sent when there is room.',
    fullMine:
      'The disk with the server is full: the server only reads until you make room. Nothing is lost; what people write waits on their computers.',
    free: (size) => `${size} free.`,
  },
}
