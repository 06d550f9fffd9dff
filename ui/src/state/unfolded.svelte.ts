// The long messages that are shown whole. They stay so while their rows are away and back.
import type { Block, MessageView } from '../api'

type Message = Pick<MessageView, 'id' | 'text'>
type Whole = { text: string; blocks: Block[] }

/** Those that were unfolded longest ago are folded again beyond this. */
const MOST = 50

export class Unfolded {
  #whole = $state.raw<ReadonlyMap<string, Whole>>(new Map())
  #read: (text: string) => Promise<Block[]>

  constructor(read: (text: string) => Promise<Block[]>) {
    this.#read = read
  }

  /** All blocks of a message, if it is unfolded. After an edit the old ones stay until the new ones are there. */
  of(message: Message): Block[] | null {
    return this.#whole.get(message.id)?.blocks ?? null
  }

  /** Whether what is shown is from before an edit. */
  isOld(message: Message): boolean {
    const whole = this.#whole.get(message.id)
    return whole !== undefined && whole.text !== message.text
  }

  async show(message: Message): Promise<void> {
    const { id, text } = message
    const blocks = await this.#read(text)
    this.#whole = new Map([...this.#whole].filter(([other]) => other !== id).slice(1 - MOST)).set(id, { text, blocks })
  }

  fold(message: Message): void {
    this.#whole = new Map([...this.#whole].filter(([id]) => id !== message.id))
  }
}
