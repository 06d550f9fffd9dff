// What a message says, as one line without its look: for what is spoken.
import type { Block } from '../api'

type Part = { type?: string; text?: string; name?: string; [key: string]: unknown }

/**
 * The words of a message. Whatever parts a text has, its words stand in `text` or `name`, and what is in it in lists of
 * parts; what is hidden stays hidden.
 */
export function spoken(blocks: readonly Block[], everyone: string, hidden: string): string {
  const words = (part: unknown): string => {
    if (Array.isArray(part))
      return part.map(words).join(part.some((one) => Array.isArray(one) || isBlock(one)) ? ' ' : '')
    if (typeof part !== 'object' || part === null) return ''
    const { type, text, name } = part as Part
    if (type === 'spoiler') return hidden
    if (type === 'mentionEveryone') return `@${everyone}`
    if (type === 'break') return ' '
    if (typeof text === 'string') return text
    if (typeof name === 'string') return `@${name}`
    return Object.values(part).map(words).join('')
  }
  return words(blocks).replaceAll(/\s+/gu, ' ').trim()
}

const isBlock = (part: unknown): boolean =>
  typeof part === 'object' &&
  part !== null &&
  ['paragraph', 'heading', 'quote', 'code', 'list', 'rule'].includes(String((part as Part).type))
