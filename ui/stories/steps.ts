// What a story does once the window is there.
export const click = (selector: string): void => document.querySelector<HTMLElement>(selector)?.click()

export const type = (selector: string, value: string): void => {
  const field = document.querySelector<HTMLInputElement | HTMLTextAreaElement>(selector)
  if (field) field.value = value
  field?.dispatchEvent(new Event('input', { bubbles: true }))
}

export const frames = async (n: number): Promise<void> => {
  for (let i = 0; i < n; i += 1) await new Promise((resolve) => requestAnimationFrame(resolve))
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits for what a busy machine shows late. */
export const there = async (selector: string): Promise<void> => {
  while (!document.querySelector(selector)) await pause(16)
  await pause(32)
}

/** Presses what may come a little later. */
export const press = async (...testids: string[]): Promise<void> => {
  for (const testid of testids) {
    await there(`[data-testid="${testid}"]`)
    click(`[data-testid="${testid}"]`)
  }
}
