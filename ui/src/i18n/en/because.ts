import type { because as zh } from '../zh-CN/because'

/** Why a link or a server cannot be used. */
export const because: typeof zh = {
  broken: () =>
    'What broke begins again by itself, and nothing you wrote is lost. If it keeps happening, start Tulou again.',
  no_link: () => 'This contains neither an invite link nor a server address.',
  link_too_long: () => 'This is too long for an invite link. Paste only the link.',
  link_cut: (part) => `The link is incomplete: it was cut off after “${part}”. Copy the whole link again.`,
  link_headless: () => 'The link is incomplete: its beginning, “tulou://join/”, is missing. Copy the whole link again.',
  link_damaged: (part) =>
    `The link is damaged: the part after “${part}” is wrong. Copy it again, or ask for it to be sent again.`,
  address_no_port: (text) => `The port is missing after the colon in “${text}”, for example 4780.`,
  address_port: (text) => `“${text}” isn’t a port: that is a number from 1 to 65535.`,
  address_path: (text) =>
    `The address has a path, “${text}”, but a Tulou server can’t be under a path. Leave it out, or ask the server’s admin for the right address.`,
  address_host: (text) =>
    text ? `Nobody can find a server at “${text}”. An example: chat.example.org:4780` : 'The address has no host name.',
  address_scheme: (text) => `An address that begins with “${text}” doesn’t lead to a Tulou server.`,
  unencrypted: () =>
    'An unencrypted address works on this computer only. Use an invite link, or an address with wss://.',

  certificate: () =>
    'The server signed its certificate itself, so it can’t be verified by its address. Use an invite link: it carries the server’s key.',
  certificate_expired: (when) =>
    `The server’s certificate expired on ${when}. Check this computer’s date, or ask the server’s admin to renew it.`,
  certificate_not_yet: (when) =>
    `The server’s certificate isn’t valid before ${when}. Check this computer’s date, or ask the server’s admin.`,
  certificate_name: (names) =>
    `The server’s certificate is for ${names}, not for this address. Use an address that it is for.`,
  certificate_incomplete: (signer) =>
    `The server doesn’t send the certificate of “${signer}”, who signed its own, and this computer doesn’t know it. The server’s admin should use the whole chain (fullchain.pem).`,
  certificate_signer: (signer) =>
    `The server’s certificate was signed by “${signer}”, which this computer doesn’t know.`,
  certificate_other: () => 'The server’s certificate can’t be verified. Ask the server’s admin.',
  not_encrypted: () => 'Something answers at this address, but without encryption. Check the port.',
  not_tulou: () => 'Something answers at this address, but it isn’t a Tulou server. Check the address and the port.',
  redirects: (where) =>
    `The address doesn’t lead to the server but to “${where}”. Perhaps a sign-in page or a path is in front of it: /ws and /v1 have to be reachable directly.`,
  sign_in_wall: () =>
    'There’s a sign-in page in front of the server, and Tulou can’t get past it. The server’s admin has to let /ws and /v1 through.',
  no_websocket: () =>
    'The server answers, but WebSockets don’t get through. The proxy in front of it has to pass on the headers Upgrade and Connection.',
  http_1_0: () =>
    'The server answers, but the proxy in front of it uses HTTP/1.0, so WebSockets don’t get through. It has to use HTTP/1.1.',
  crowded: () =>
    'The server has too many connections from the network that you’re in. Try again later, or ask the server’s admin.',
  too_many_sockets: (limit) =>
    `This account already has ${limit} connections to the server, and there can’t be more. Close Tulou on a device that you don’t use.`,
  proxy_refused: (status) =>
    `The proxy in front of the server refused the request (status ${status}). Ask the server’s admin.`,
  proxy_behind: (status) =>
    `The proxy in front of the server answers, but the server doesn’t (status ${status}). It may not be running.`,
}
