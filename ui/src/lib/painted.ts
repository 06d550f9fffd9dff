// When rows are on the screen.

/** So many rows in view count as a full view. */
const FULL_ROWS = 20

export const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()))

export async function frames(count: number): Promise<void> {
  for (let drawn = 0; drawn < count; drawn += 1) await frame()
}

/** Whether a view is full of rows, or has all that there are. */
export function isFull(view: HTMLElement, all: number): boolean {
  const box = view.getBoundingClientRect()
  const boxes = [...view.querySelectorAll('[data-testid=message]')]
    .map((row) => row.getBoundingClientRect())
    .filter((row) => row.bottom > box.top && row.top < box.bottom)
  if (boxes.length >= Math.min(FULL_ROWS, all)) return true
  const last = boxes.at(-1)
  return last !== undefined && (boxes[0]?.top ?? 0) <= box.top + 64 && last.bottom >= box.bottom - 64
}
