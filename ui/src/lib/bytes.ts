/** What a message may have at most, in bytes of UTF-8. */
export const MESSAGE_BYTES = 16_384
/** From here on the composer shows how much room is left. */
export const MESSAGE_BYTES_NEAR = 15_000

const encoder = new TextEncoder()

export function bytesOf(text: string): number {
  return encoder.encode(text).length
}
