import type { because as zh } from '../zh-CN/because'

/** Why a link or a server cannot be used. */
export const because: typeof zh = {
  no_link: () => 'There is neither an invite link nor a server’s address in this.',
  link_too_long: () => 'This is too long for an invite link. Paste only the link.',
  link_cut: (part) => `The link is incomplete: the part after “${part}” is missing. Copy the whole link again.`,
  link_headless: () => 'The link is incomplete: its beginning, “tulou://join/”, is missing. Copy the whole link again.',
  link_damaged: (part) =>
    `The link is damaged: the part after “${part}” is not right. Copy it again, or ask for it to be sent again.`,
  address_no_port: (text) => `The port is missing after the colon in “${text}”, for example 4780.`,
  address_port: (text) => `“${text}” is not a port: that is a number from 1 to 65535.`,
  address_path: (text) =>
    `The address has a path, “${text}”, but a Tulou server cannot be under a path. Leave it out, or ask whoever runs the server for the right address.`,
  address_host: (text) =>
    text
      ? `Nobody can find a server at “${text}”. An example: chat.example.org:4780`
      : 'The address lacks the name of a computer.',
  address_scheme: (text) => `An address that begins with “${text}” does not lead to a Tulou server.`,
  unencrypted: () =>
    'An unencrypted address works on this computer only. Use an invite link, or an address with wss://.',

  certificate: () =>
    'The server signed its certificate itself, so it cannot be verified by its address. Use an invite link: it carries the server’s key.',
  certificate_expired: (when) =>
    `The server’s certificate expired on ${when}. Check this computer’s date, or ask whoever runs the server to renew it.`,
  certificate_not_yet: (when) =>
    `The server’s certificate is not valid before ${when}. Check this computer’s date, or ask whoever runs the server.`,
  certificate_name: (names) =>
    `The server’s certificate is for ${names}, not for this address. Use an address that it is for.`,
  certificate_incomplete: (signer) =>
    `The server does not send the certificate of “${signer}”, who signed its own, and this computer does not know it. Whoever runs the server should use the whole chain (fullchain.pem).`,
  certificate_signer: (signer) =>
    `The server’s certificate was signed by “${signer}”, which this computer does not know.`,
  certificate_other: () => 'The server’s certificate cannot be verified. Ask whoever runs the server.',
  not_encrypted: () => 'Something answers at this address, but without encryption. Check the port.',
  not_tulou: () => 'Something answers at this address, but it is not a Tulou server. Check the address and the port.',
  redirects: (where) =>
    `The address does not lead to the server but to “${where}”. Perhaps a sign-in page or a path is in front of it: /ws and /v1 have to be reachable directly.`,
  sign_in_wall: () =>
    'A sign-in page of its own is in front of the server, and Tulou cannot get past it. Whoever runs the server has to let /ws and /v1 through.',
  no_websocket: () =>
    'The server answers, but WebSockets do not get through. The proxy in front of it has to pass on the headers Upgrade and Connection.',
  http_1_0: () =>
    'The server answers, but the proxy in front of it uses HTTP/1.0, so WebSockets do not get through. It has to use HTTP/1.1.',
  proxy_refused: (status) =>
    `The proxy in front of the server refused the request (status ${status}). Ask whoever runs the server.`,
  proxy_behind: (status) =>
    `The proxy in front of the server answers, but the server does not (status ${status}). It may not be running.`,
}
