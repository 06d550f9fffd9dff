/** What a message may have at most, in bytes of UTF-8. */
export const MESSAGE_BYTES = 16_384
/** From here on the composer shows how much room is left. */
export const MESSAGE_BYTES_NEAR = 15_000

/** The end of a mention, where a stroke among the marks behind it would become one sign with it. */
const STRUCK = /(<@(?:everyone|&?[\w-]{21}[AQgw])>)(?=(?:(?!\u034f)\p{M})*\u0338)/gu

const encoder = new TextEncoder()

/** The bytes of a text as it will be sent. The program cleans it in the same way: `counted.json` is a test of both. */
export function bytesOf(text: string): number {
  const cleaned = text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(STRUCK, '$1\u034f')
    .normalize('NFC')
  return encoder.encode(cleaned.trimEnd()).length
}
