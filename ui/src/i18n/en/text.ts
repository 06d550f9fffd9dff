import type { text as zh } from '../zh-CN/text'

export const text: typeof zh = {
  text: {
    showAll: 'Show all',
    showLess: 'Show less',
    showHidden: 'Show hidden text',
    hideAgain: 'Hide again',
    code: 'Code',
    copyCode: 'Copy code',
    table: 'Table',
    invite: 'Invite link',
  },

  link: {
    title: 'Open this link?',
    leadsTo: 'It really leads to',
    mailsTo: 'It writes an email to',
    joins: 'It is an invite',
    otherText: 'The text of the link says something else.',
    userInfo: 'What stands before the “@” is a user name, not the site.',
    lookalike: 'The name of the site has letters that look like others. It is shown here as the network knows it.',
    hidden: 'The address has characters that cannot be seen. They are shown here as codes.',
    open: 'Open anyway',
  },
}
