import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Refused } from '../api'
import { StandIn } from '../testing/stand-in'
import { account, appView, NO_BADGE, timeline, topic, tree } from '../testing/views'
import { WindowState } from './window.svelte'

const settle = () => new Promise((resolve) => setTimeout(resolve))

/** Calls that wait until they are let go. */
class Held {
  readonly #waiting: (() => void)[] = []
  hold = <T>(value: T): Promise<T> => new Promise((resolve) => this.#waiting.push(() => resolve(value)))
  fail = (code: string): Promise<never> =>
    new Promise((_, reject) => this.#waiting.push(() => reject(new Refused({ code, message: '', rejection: null }))))
  async letGo(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (const go of this.#waiting.splice(0)) go()
      await settle()
    }
  }
}

describe('a topic that is left before what was written there is stored', () => {
  let api: StandIn
  let window: WindowState
  let disk: Held
  /** The topic's view as the store has it comes into the pane. */
  const shown = (text = '') => {
    const view = timeline({ topic: 't1', name: 'One', draft: { text, replyTo: null } })
    window.composer?.hear(view, () => undefined)
  }
  const write = (text: string) => window.composer?.write(text)
  const awayAndBack = () => {
    window.openTopic('t2')
    window.openTopic('t1')
  }

  beforeEach(async () => {
    api = new StandIn()
    disk = new Held()
    api.app = appView({
      accounts: [account({ communities: [{ id: 'c1', name: 'One', badge: NO_BADGE, isPending: false }] })],
      lastPlace: { account: 's1.me', community: 'c1', topic: 't1' },
    })
    const topics = [topic('t1', 'One'), topic('t2', 'Two')]
    api.trees.set(
      'c1',
      tree({ groups: [{ id: 'g', name: 'G', badge: NO_BADGE, permissions: [], isPending: false, topics }] }),
    )
    window = new WindowState(api)
    await window.start()
    await settle()
    shown('an older draft')
  })

  it('has what was written when it is opened again, and not the older draft', async () => {
    const save = vi.spyOn(api, 'saveDraft').mockImplementation(() => disk.hold(null))
    write('hello')
    awayAndBack()
    shown('an older draft')
    expect(window.composer?.text).toBe('hello')
    await disk.letGo()
    expect(save.mock.calls.at(-1)?.[2]).toEqual({ text: 'hello', replyTo: null })
  })

  it('does not show again what is on its way', async () => {
    const submit = vi.spyOn(api, 'submit').mockImplementation(() => disk.hold({ created: null }))
    const sent = window.composer?.send()
    awayAndBack()
    shown('an older draft')
    expect(window.composer?.text).toBe('')
    await disk.letGo()
    await sent
    expect(submit).toHaveBeenCalledOnce()
    expect(window.composer?.text).toBe('')
  })

  it('gets back what could not be sent, and keeps what was written meanwhile', async () => {
    vi.spyOn(api, 'submit').mockImplementation(() => disk.fail('storage'))
    const sent = window.composer?.send()
    awayAndBack()
    shown()
    write('and more')
    await disk.letGo()
    await sent
    expect(window.composer?.text).toBe('an older draft\nand more')
  })

  it('has what could not be stored, which is tried again with each topic that is left', async () => {
    const save = vi.spyOn(api, 'saveDraft').mockRejectedValue(new Error('the disk is full'))
    write('hello')
    window.openTopic('t2')
    await settle()
    window.openTopic('t1')
    shown('an older draft')
    expect(window.composer?.text).toBe('hello')
    window.openTopic('t2')
    await settle()
    save.mockClear()
    save.mockResolvedValue(null)
    awayAndBack()
    expect(save).toHaveBeenCalledWith('s1.me', 't1', { text: 'hello', replyTo: null })
  })

  it('has a new composer once all is stored, which begins with what the program has', async () => {
    write('hello')
    window.openTopic('t2')
    await settle()
    window.openTopic('t1')
    shown('from another window')
    expect(window.composer?.text).toBe('from another window')
  })

  it('is forgotten with its account', async () => {
    const save = vi.spyOn(api, 'saveDraft').mockRejectedValue(new Error('the account is gone'))
    write('hello')
    window.openTopic('t2')
    await settle()
    api.app = { ...api.app, accounts: [] }
    await window.ask()
    save.mockClear()
    api.app = { ...api.app, accounts: [account()] }
    await window.openPlace({ account: 's1.me', community: 'c1', topic: 't2' })
    window.openTopic('t1')
    shown('from the program')
    expect(window.composer?.text).toBe('from the program')
  })
})
