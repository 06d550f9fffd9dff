/** Of the server: how it is reached, who is on it, backups. */
export const hosting = {
  accounts: {
    page: '服务器上的账号',
    text: (server: string) => `“${server}”上的账号。有人忘了密码又没有恢复码时，您可以重置密码。`,
    search: '按名字查找账号',
    none: '没有找到账号',
    admin: '服务器管理员',
    nowhere: '没有登录',
    reset: '重置密码',
    resetSure: (name: string) =>
      `重置 ${name} 的密码？现在的密码和恢复码会失效，所有设备会退出登录。您会得到一个代码，请转交给对方。`,
    made: (name: string, until: string) => `请把这个代码转交给 ${name}，用它可以设置一次新密码（${until} 前有效）：`,
  },

  reach: {
    title: '怎样连到这台服务器',
    letOthers: '允许其他电脑连接',
    letOthersHint: '开启后，其他电脑可以通过网络连到这台电脑上的服务器。连接全程加密，只有持邀请链接或账号的人能进来。',
    onlyHere: '现在只有这台电脑能连到服务器，其他人无法加入。',
    noNetwork: '这台电脑没有连接任何网络，其他人暂时连不到服务器。',
    localOnly: (port: string) =>
      `目前只有局域网里的电脑能连到服务器。想让外面的人也能加入，请在路由器上把端口 ${port} 转发到这台电脑，再填写公网地址或通到这里的域名。`,
    internet: '下面有地址可以从互联网连到这里，只要没有被防火墙或路由器挡住。',
    portTaken: (taken: string, port: string) =>
      `端口 ${taken} 被别的程序占用，服务器暂时改用端口 ${port}。新的邀请链接会使用它；端口 ${taken} 空出来后，旧链接就能重新找到服务器。`,
    own: '自定义地址',
    ownHint: '能通到这台电脑的域名或公网地址，邀请链接会优先使用它。',
    announce: '在局域网中广播这台服务器',
    announceHint:
      '这台电脑换了地址后，同一网络里的成员能自动重新找到它。只广播服务器 ID、端口和密钥的开头，不含任何名称。',
    addresses: '邀请链接中的地址',
    from: { internet: '互联网', localNetwork: '局域网', thisComputer: '仅这台电脑' },
    key: '密钥指纹',
    keyHint: '邀请链接里带着它。加入的人凭它认出这台服务器，换了地址也一样。',
    copyKey: '复制指纹',
    starting: '这台电脑上的服务器正在启动。如果上次没有正常关闭，会先检查数据，可能需要几分钟。',
    failed: '这台电脑上的服务器没有运行。',
    failures: {
      store_before: '它的数据来自首个正式版之前，这个版本读不了。把文件夹移走即可重新开始。',
      store_newer: '它的数据由更新版本的 Tulou 写入，请先更新。',
      store_damaged: '它的数据已损坏。请从最近的备份恢复，现有数据会另外保留。',
      store_lost: '它的数据不见了，只剩下密钥。请放回数据，或从备份恢复。',
      in_use: '另一个程序正在使用它的文件夹。请先关闭那个程序。',
      no_room: '磁盘已满。请先腾出空间。',
      no_rights: 'Tulou 没有权限读写它的文件夹。请检查文件夹的权限。',
      storage: '读写磁盘时出错。请检查磁盘。',
      key_lost: '它的密钥不见了，成员认不出它。请放回密钥文件，或从备份恢复。',
      key_unreadable: '它的密钥或证书无法读取。请从备份恢复这个文件。',
      no_port: '没有可用的端口。请检查防火墙或其他程序。',
      broken: '它运行时出了故障，已经停止。请重新启动，已写入的内容都还在。',
      host_failed: '请查看详细信息。',
    },
    details: '详细信息',
    startAgain: '重新启动',
    show: '查看',
  },

  relocate: {
    title: '服务器现在在哪里？',
    text: (server: string) =>
      `请输入“${server}”新的邀请链接或新地址。您的账号和保存在这台电脑上的内容都不变。服务器要先证明还是原来那台，才会向它发送内容。`,
    go: '连接',
    found: '已找到服务器',
    otherKeyTitle: '链接里的密钥不同',
    otherKeyText:
      '这台服务器一直使用一把密钥，而这个链接里是另一把，可能有人在冒充它。只有当服务器管理员告诉过您密钥已变更，并且新指纹与其一致时，才应继续。',
    old: '一直以来的密钥',
    new: '链接里的密钥',
    trust: '信任新密钥',
    refuse: '不连接',
  },

  backup: {
    title: '备份',
    text: (kept: string) =>
      `服务器的全部内容（包括密钥）都在一个文件里，请放在别人拿不到的地方。每天空闲时自动备份一次，保留最新的 ${kept} 份；请不时复制一份到另一块磁盘。`,
    none: '还没有备份',
    now: '立即备份',
    making: '正在备份…',
    made: '备份完成',
    openFolder: '打开文件夹',
    daily: '每日',
    manual: '手动',
    unreadable: '无法读取',
    failed: '上一次备份没有成功。',
    restore: '恢复',
    restoreOf: (when: string) => `恢复 ${when} 的备份`,
    restoreOther: '从备份恢复…',
    restoreTitle: '从备份恢复',
    restoreText: '备份中的服务器会在这台电脑上启动，密钥不变：认识它的人可以跟过来。',
    file: '备份文件',
    filePlaceholder: '以 .tulou-backup 结尾的文件路径',
    choose: '选择备份',
    browse: '选择…',
    holds: (communities: string, accounts: string) => `${communities} 个社群，${accounts} 个账号`,
    replacesSame:
      '这台电脑上的服务器会回到那一天。现在的内容会移到它文件夹里的另一处，不会删除。大家可以重新发送此后写的消息。',
    replacesOther: (name: string) =>
      `这台电脑正在运行“${name}”，它会停止，内容移到它文件夹里的另一处，不会删除。一台电脑只能运行一台服务器。`,
    moves: '如果这台服务器还在另一台电脑上运行，请先在那里停止：两台密钥相同的服务器会导致成员连接错乱。',
    restoring: '正在恢复…',
    restored: '服务器已从备份恢复',
    thenSignIn: '服务器已启动。请用您在上面的账号登录。',
  },

  lost: {
    label: '服务器上已丢失的消息',
    here: (n: string) => `服务器从备份恢复过，您有 ${n} 条消息已经不在了。`,
    others: (n: string) => `其他话题里还有您的 ${n} 条消息不在恢复后的服务器上了。`,
    text: '它们是备份之后写的。可以重新发送，也可以丢弃。',
    topicGone: '这个话题已经不在了，无法发送，可以复制文字。',
    show: '查看',
    hide: '收起',
    send: '重新发送',
    sendAll: '重新发送',
    sendOf: (text: string) => `重新发送“${text}”`,
    discardOf: (text: string) => `丢弃“${text}”`,
    discardSure: (n: string) => `丢弃这 ${n} 条消息？其他地方没有副本。`,
  },

  clock: {
    leapt: {
      here: '这台电脑的时间被调整过，或者不准。如果日期和时间没错，就不用处理。一天之内，服务器不会清理因此才到期的内容。',
      there:
        '服务器所在电脑的时间被调整过，或者不准。如果那里的日期和时间没错，就不用处理。一天之内，服务器不会清理因此才到期的内容。',
    },
    behind: {
      here: '这台电脑的时间早于服务器里已存的内容，两者必有一个不对。请检查日期和时间。在此之前，服务器从较晚的时间继续计时。',
      there:
        '服务器所在电脑的时间早于服务器里已存的内容，两者必有一个不对。请检查那里的日期和时间。在此之前，服务器从较晚的时间继续计时。',
    },
    doubted: {
      here: '这台电脑的时间可能偏快，也可能是服务器很久没有使用。如果日期和时间没错，就不用处理。一天之内，服务器不会清理因此才到期的内容。',
    },
    unsure: '服务器的时间可能不准，这里显示的时间也可能不准。',
    ahead: (by: string) => `这台电脑的时间比服务器快 ${by}。这里显示的是服务器的时间。`,
    late: (by: string) => `这台电脑的时间比服务器慢 ${by}。这里显示的是服务器的时间。`,
  },

  room: {
    low: '服务器所在的磁盘快满了。请腾出空间，否则服务器将停止写入。',
    full: '服务器的磁盘没有空间了，暂时无法写入。可以照常阅读；您写的内容留在这里，等有了空间再发送。',
    fullMine:
      '服务器所在的磁盘满了：在您腾出空间之前，服务器只能读取。什么都不会丢，大家写的内容都在各自的电脑上等着。',
    free: (size: string) => `剩余 ${size}。`,
  },
}
