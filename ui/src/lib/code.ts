// Where code stands in a text that is sent, as the dialect has it (docs/text.md): nobody is called in it. What is not
// certainly code is none.

type Stretch = { readonly from: number; readonly to: number }

const FENCE = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/
const QUOTED = /^>+ /

/** The stretches of a text that are code, from the first to the last. */
export function codeIn(text: string): Stretch[] {
  if (!text.includes('`') && !text.includes('~~~')) return []
  const found: Stretch[] = []
  const lines = text.split('\n')
  let at = 0
  for (let n = 0; n < lines.length; n += 1) {
    const line = lines[n] ?? ''
    const fenced = fencedFrom(lines, n)
    if (fenced > n) {
      const inside = lines.slice(n + 1, fenced + 1).join('\n')
      const from = at + line.length + 1
      found.push({ from, to: from + inside.length })
      n = fenced
      at = from + inside.length + 1
      continue
    }
    for (const { from, to } of codeOn(line)) found.push({ from: at + from, to: at + to })
    at += line.length + 1
  }
  return found
}

/** The last line of what is fenced behind this one; this one if nothing is. */
function fencedFrom(lines: readonly string[], first: number): number {
  const line = lines[first] ?? ''
  const quoted = QUOTED.exec(line)?.[0] ?? ''
  const fence = FENCE.exec(line.slice(quoted.length))
  const mark = fence?.[1] ?? fence?.[2]
  if (mark === undefined) return first
  const ends = lines.findIndex((other, n) => n > first && quoted !== '' && !other.startsWith(quoted))
  const until = ends < 0 ? lines.length : ends
  const within = (is: (line: string) => boolean): number =>
    lines.findIndex((other, n) => n > first && n < until && is(other.slice(quoted.length)))
  const closes = new RegExp(`^\\s*${mark}${mark.charAt(0)}*\\s*$`)
  const closing = within((other) => closes.test(other))
  if (closing >= 0) return closing
  if (mark.startsWith('~')) return first
  const behind = within((other) => new RegExp(`[^\`]${mark}\\s*$`).test(other))
  // Closed at the end of a line: what stands before the marks is code still, and left as if it were none.
  return behind >= 0 ? behind - 1 : until - 1
}

/** The spans of code on a line. */
function codeOn(line: string): Stretch[] {
  const found: Stretch[] = []
  const runs = [...line.matchAll(/`+/g)]
  for (let n = 0; n < runs.length; n += 1) {
    const open = runs[n]
    if (!open || line[open.index - 1] === '\\') continue
    const inside = open.index + open[0].length
    const close = runs.findIndex((run, later) => later > n && run[0] === open[0])
    const end = runs[close]
    if (!end || line.slice(inside, end.index).trim() === '') continue
    found.push({ from: inside, to: end.index })
    n = close
  }
  return found
}
