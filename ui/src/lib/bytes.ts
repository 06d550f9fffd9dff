/** What a message may have at most, in bytes of UTF-8. */
export const MESSAGE_BYTES = 16_384
/** From here on the composer shows how much room is left. */
export const MESSAGE_BYTES_NEAR = 15_000

const encoder = new TextEncoder()

/** The bytes of a text as it will be sent. The program cleans it in the same way: `counted.json` is a test of both. */
export function bytesOf(text: string): number {
  const cleaned = text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .normalize('NFC')
  return encoder.encode(cleaned.trimEnd()).length
}
