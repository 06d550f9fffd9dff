import type { entering as zh } from '../zh-CN/entering'
import { count } from './count'

/** Of the way in: the first start, accounts and servers that are added. */
export const entering: typeof zh = {
  first: {
    welcome: 'Welcome to Tulou',
    tagline: 'A round house for your community to talk in: one wall, many rooms, one courtyard.',
    host: 'Host on this computer',
    hostHint: 'No need to sign up anywhere. The server is built in; choose a name and go.',
    join: 'Join a community',
    joinHint: 'Paste an invite link, or type a server’s address.',
    hostTitle: 'Host on this computer',
    hostText:
      'Now choose a name for yourself. This account is only on the server on this computer, and you’re its admin.',
    hostCommunityHint: 'You can change it later, and create more communities.',
    displayName: 'Display name',
    displayNameHint: 'What others see; you can change it any time',
    accountName: 'Account name',
    accountNameHint: 'For signing in: lowercase letters, digits, - _ .',
    password: 'Password',
    passwordHint: 'At least 8 characters',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    start: 'Start',
    starting: 'Starting the server…',
    joinTitle: 'Join',
    link: 'Invite link or server address',
    accountText: 'The address of that server, or any invite link to it.',
    linkPlaceholder: 'Paste an invite link, or server.example:4780',
    look: 'Continue',
    looking: 'Looking it up…',
    invitedTo: 'You’re invited to',
    server: 'Server',
    membersCount: (n) => count(n, 'member', 'members'),
    register: 'New account',
    haveAccount: 'I already have an account',
    registerAndJoin: 'Register and join',
    registerOnly: 'Register',
    signInAndJoin: 'Sign in and join',
    signInOnly: 'Sign in',
    joinAs: (name) => `Join as ${name}`,
    otherAccount: 'Use another account',
    joining: 'Joining…',
    closed: 'This server doesn’t accept new accounts. Sign in with one you already have.',
    serverName: (name) => `${name}’s server`,
    noKeyring: 'This system has no keyring, so sign-ins can’t be kept: you’ll have to sign in each time Tulou starts.',
  },

  rail: {
    label: 'Communities',
    add: 'Add a community or account',
    settings: 'Settings',
    onServer: (server) => `Server: ${server}`,
  },

  add: {
    title: 'Add',
    create: 'Create a community',
    createHint: 'Start a new one on your server',
    join: 'Join with a link',
    joinHint: 'Paste an invite link',
    account: 'Add an account',
    accountHint: 'Sign in to another server, or with another account',
    onAccount: 'Account',
    host: 'Host on this computer',
    hostHint: 'The server is built in',
  },

  signIn: {
    title: 'Sign in',
    text: (name, server) => `Sign in to ${server} as ${name}`,
  },
}
