/** Of what people write. */
export const text = {
  text: {
    showAll: '展开全文',
    showLess: '收起',
    showHidden: '显示隐藏内容',
    hideAgain: '重新隐藏',
    code: '代码',
    copyCode: '复制代码',
    table: '表格',
    invite: '邀请链接',
  },

  link: {
    title: '打开这个链接？',
    leadsTo: '它实际通往',
    mailsTo: '它会给这个地址写邮件',
    joins: '它是一个邀请',
    otherText: '链接显示的文字和真实地址不一致。',
    userInfo: '“@”前面的部分只是用户名，不是网站。',
    lookalike: '网址里有容易和其他字母混淆的字符，这里显示的是它在网络上的写法。',
    hidden: '地址里有看不见的字符，这里以编码显示。',
    open: '仍要打开',
  },
}
