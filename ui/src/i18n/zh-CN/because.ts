/** Why a link or a server cannot be used: each takes what the sentence names, a time being written out already. */
export const because = {
  broken: () => '出错的部分会自动重新开始，写下的内容都还在。如果反复出现，请重新启动 Tulou。',
  no_link: () => '这里面既没有邀请链接，也没有服务器地址。',
  link_too_long: () => '内容太长，不是一个邀请链接。请只粘贴链接本身。',
  link_cut: (part: string) => `链接不完整：“${part}”之后被截断了。请重新复制整个链接。`,
  link_headless: () => '链接不完整：缺少开头的“tulou://join/”。请重新复制整个链接。',
  link_damaged: (part: string) => `链接已损坏：“${part}”后面的部分不对。请重新复制，或请对方再发一次。`,
  address_no_port: (text: string) => `“${text}”的冒号后面缺少端口，例如 4780。`,
  address_port: (text: string) => `“${text}”不是端口，端口是 1 到 65535 之间的数字。`,
  address_path: (text: string) =>
    `地址里带有路径“${text}”，但 Tulou 服务器不能放在路径下。请去掉路径，或向服务器管理员询问正确的地址。`,
  address_host: (text: string) =>
    text ? `别人无法通过“${text}”找到服务器。例如：chat.example.org:4780` : '地址里缺少主机名。',
  address_scheme: (text: string) => `以“${text}”开头的地址不能连到 Tulou 服务器。`,
  unencrypted: () => '未加密的地址只能在这台电脑上使用。请使用邀请链接，或以 wss:// 开头的地址。',

  certificate: () => '服务器使用自己签发的证书，单凭地址无法验证。请使用邀请链接，链接里带有服务器的密钥。',
  certificate_expired: (when: string) =>
    `服务器的证书已于 ${when}过期。请检查这台电脑的日期，或联系服务器管理员更新证书。`,
  certificate_not_yet: (when: string) => `服务器的证书要到 ${when}才生效。请检查这台电脑的日期，或联系服务器管理员。`,
  certificate_name: (names: string) => `服务器的证书是发给 ${names} 的，与这个地址不符。请使用证书上的地址。`,
  certificate_incomplete: (signer: string) =>
    `服务器没有一并发来签发者“${signer}”的证书，这台电脑也不认识它。请联系服务器管理员使用完整的证书链（fullchain.pem）。`,
  certificate_signer: (signer: string) => `服务器的证书由“${signer}”签发，这台电脑不认识它。`,
  certificate_other: () => '服务器的证书无法验证。请联系服务器管理员。',
  not_encrypted: () => '这个地址有回应，但没有加密。请检查端口是否正确。',
  not_tulou: () => '这个地址有回应，但那里不是 Tulou 服务器。请检查地址和端口。',
  redirects: (where: string) =>
    `这个地址没有连到服务器，而是转到了“${where}”。服务器前面可能有登录页面，或多了一段路径：/ws 和 /v1 必须能直接访问。`,
  sign_in_wall: () => '服务器前面有一道自己的登录页面，Tulou 无法通过。请联系服务器管理员对 /ws 和 /v1 放行。',
  no_websocket: () => '服务器有回应，但 WebSocket 无法通过。服务器前面的代理必须转发 Upgrade 和 Connection 请求头。',
  http_1_0: () => '服务器有回应，但前面的代理使用 HTTP/1.0，WebSocket 无法通过。代理必须改用 HTTP/1.1。',
  crowded: () => '您所在的网络与这台服务器的连接太多。请稍后再试，或联系服务器管理员。',
  too_many_sockets: (limit: string) =>
    `这个账号与服务器的连接已有 ${limit} 个，不能再多了。请关掉不用的设备上的 Tulou。`,
  proxy_refused: (status: string) => `服务器前面的代理拒绝了请求（状态码 ${status}）。请联系服务器管理员。`,
  proxy_behind: (status: string) => `服务器前面的代理有回应，但服务器没有（状态码 ${status}）。服务器可能没有运行。`,
}
