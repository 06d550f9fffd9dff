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
    leadsTo: 'It really goes to',
    mailsTo: 'It starts an email to',
    joins: 'It’s an invite',
    otherText: 'The link’s text says something different.',
    userInfo: 'The part before the “@” is a user name, not the site.',
    lookalike: 'The site’s name has letters that look like others. It’s shown here as the network knows it.',
    hidden: 'The address has invisible characters. They’re shown here as codes.',
    open: 'Open anyway',
  },
}
