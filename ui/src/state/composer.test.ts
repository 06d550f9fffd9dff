import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EditView, MentionedView } from '../api'
import { StandIn } from '../testing/stand-in'
import { message } from '../testing/views'
import { ComposerState, type Stored } from './composer.svelte'

const ANN = 'AZig0AAAcACAAAAAAAAABw'

const stored = (more: Partial<Stored> = {}): Stored => ({
  draft: { text: '', replyTo: null },
  edits: [],
  mentioned: [{ id: ANN, name: '阿澈' }],
  ...more,
})

const edit = (more: Partial<EditView> = {}): EditView => ({
  message: 'm1',
  base: 'helo',
  text: 'hello',
  now: 'helo',
  isRecalled: false,
  canRecall: true,
  ...more,
})

const mine = (text: string, id = 'm1') => message(id, 1, text, { isMine: true, actions: ['edit', 'recall'] })

describe('the composer', () => {
  let api: StandIn
  let failures: unknown[]
  let composer: ComposerState
  const hear = (more: Partial<Stored> = {}): void => composer.hear(stored(more), () => undefined)
  const edits = () => vi.spyOn(api, 'saveEdit')
  const drafts = () => vi.spyOn(api, 'saveDraft')
  beforeEach(() => {
    vi.useFakeTimers()
    api = new StandIn()
    failures = []
    composer = new ComposerState(api, 'a', 't', (thrown) => failures.push(thrown))
  })
  afterEach(() => void vi.useRealTimers())

  describe('a draft', () => {
    it('is stored soon after the last key, with mentions as ids', async () => {
      const save = drafts()
      hear()
      composer.write('问 @')
      composer.pick(2, 3, ANN, '阿澈')
      composer.write('问 @阿澈 一下')
      expect(save).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(300)
      expect(save.mock.calls).toEqual([['a', 't', { text: `问 <@${ANN}> 一下`, replyTo: null }]])
    })

    it('is restored with its reply and its mentions, and keeps nothing outside of the program', async () => {
      const draft = { text: `hi <@${ANN}>`, replyTo: 'm1' }
      composer.hear(stored({ draft }), () => message('m1', 1, ''))
      expect(composer.text).toBe('hi @阿澈')
      expect(composer.reply?.author?.name).toBe('林间鹿')
      composer.write('hi @阿澈!')
      composer.leave()
      await vi.runAllTimersAsync()
      expect(localStorage).toHaveLength(0)
    })

    it('learns whose message it answers when that is in a view, a later one too', () => {
      hear({ draft: { text: 'yes', replyTo: 'm1' } })
      expect(composer.reply).toEqual({ id: 'm1', author: null })
      composer.hear(stored(), (id) => message(id, 1, '', { author: { id: 'lin', name: '', tag: null } }))
      expect(composer.reply?.author?.name, 'a deleted account has no name').toBe('')
      expect(composer.text).toBe('yes')
    })

    it('keeps the id of somebody who is not known, and calls him by his name once it is', async () => {
      const draft = { text: `hi <@${ANN}>`, replyTo: null }
      const unknown: MentionedView[] = [{ id: ANN, name: null }]
      hear({ draft, mentioned: unknown })
      expect(composer.text).toBe('hi @AZig0AAA')
      hear({ draft })
      expect(composer.text).toBe('hi @阿澈')
      await composer.send()
      expect(api.actions).toEqual([{ type: 'sendMessage', topic: 't', text: `hi <@${ANN}>`, replyTo: null }])
    })

    it('that comes late does not overwrite what was typed', () => {
      composer.write('typed')
      hear({ draft: { text: 'old', replyTo: null }, edits: [edit()] })
      expect(composer.text).toBe('typed')
      expect(composer.hasEditAside, 'nor is an edit lost').toBe(true)
    })

    it('that could not be stored is tried again, and that is said once', async () => {
      const save = drafts().mockRejectedValue(new Error('the disk is full'))
      hear()
      for (const text of ['half', 'half a', 'half a thought']) {
        composer.write(text)
        await vi.advanceTimersByTimeAsync(300)
      }
      expect(failures, 'one note for three tries').toHaveLength(1)
      save.mockResolvedValue(null)
      composer.leave()
      await vi.runAllTimersAsync()
      expect(save, 'nothing was typed since, and it is not stored yet').toHaveBeenCalledTimes(4)
      expect(save).toHaveBeenLastCalledWith('a', 't', { text: 'half a thought', replyTo: null })
    })

    it('is stored at once on leaving, and not when nothing changed', async () => {
      const save = drafts()
      hear()
      composer.leave()
      composer.write('half a thought')
      composer.leave()
      await vi.runAllTimersAsync()
      expect(save).toHaveBeenCalledOnce()
    })

    it('never comes after the message that it became', async () => {
      let stored: (() => void) | undefined
      drafts().mockImplementation(() => new Promise((resolve) => (stored = () => resolve(null))))
      hear()
      composer.write('hello')
      await vi.advanceTimersByTimeAsync(300)
      const sent = composer.send()
      await vi.advanceTimersByTimeAsync(10)
      expect(api.actions, 'the draft is on its way').toEqual([])
      stored?.()
      await sent
      expect(api.actions).toHaveLength(1)
    })
  })

  describe('a message', () => {
    it('is sent as it was written, and the input is empty', async () => {
      hear()
      composer.mention(ANN, 'Ann')
      composer.write('@Ann look \n')
      await composer.send()
      expect(api.actions).toEqual([{ type: 'sendMessage', topic: 't', text: `<@${ANN}> look`, replyTo: null }])
      expect(composer.text).toBe('')
    })

    it('comes back with its mentions when it could not be kept', async () => {
      api.refusal = 'storage'
      composer.mention(ANN, 'Ann')
      await composer.send()
      expect(composer.text).toBe('@Ann ')
      expect(failures).toHaveLength(1)
      await composer.send()
      expect(api.actions.at(-1)).toMatchObject({ text: `<@${ANN}>` })
    })

    it('of nothing, or of too much, is not sent', async () => {
      composer.write('  \n ')
      expect(composer.canSend).toBe(false)
      composer.write('林'.repeat(6000))
      expect(composer.isTooLong).toBe(true)
      await composer.send()
      expect(api.actions).toEqual([])
    })

    it('calls whom undoing brought back', async () => {
      composer.mention(ANN, 'Ann')
      composer.write('@An ', 3)
      composer.write('@Ann ', 5, 'undo')
      await composer.send()
      expect(api.actions).toMatchObject([{ text: `<@${ANN}>` }])
    })

    it('that undoing brings back after it was sent calls whom it called', async () => {
      composer.mention(ANN, 'Ann')
      await composer.send()
      composer.write('@Ann ', 5, 'undo')
      await composer.send()
      expect(api.actions).toMatchObject([{ text: `<@${ANN}>` }, { text: `<@${ANN}>` }])
    })
  })

  describe('an edit', () => {
    it('is stored as it is written, and stays when the topic is left', async () => {
      const save = edits()
      hear()
      composer.startEdit(mine('helo'))
      composer.write('hello')
      composer.leave()
      await vi.runAllTimersAsync()
      expect(save).toHaveBeenLastCalledWith('a', 't', 'm1', { base: 'helo', text: 'hello' })
    })

    it('is there again after a restart, over the message that was being written', async () => {
      hear({ draft: { text: 'unfinished', replyTo: 'm9' }, edits: [edit()] })
      expect(composer.editing?.id).toBe('m1')
      expect(composer.text).toBe('hello')
      expect(composer.reply, 'the reply is the other’s').toBeNull()
      await composer.send()
      expect(api.actions).toEqual([{ type: 'editMessage', topic: 't', message: 'm1', from: 'helo', text: 'hello' }])
      expect(composer.text).toBe('unfinished')
      expect(composer.reply?.id).toBe('m9')
    })

    it('that was given up leaves what was being written, with its reply', () => {
      hear()
      composer.startReply(message('m9', 9, ''))
      composer.write('unfinished')
      composer.startEdit(mine('helo'))
      composer.write('hello')
      composer.cancelEdit()
      expect(composer.text).toBe('unfinished')
      expect(composer.reply?.id).toBe('m9')
    })

    it('in which nothing was changed is over when the topic is left, or the program was cut off', async () => {
      const save = edits()
      hear({ edits: [edit({ text: 'helo' })] })
      expect(composer.editing).toBeNull()
      composer.startEdit(mine('other', 'm2'))
      composer.leave()
      await vi.runAllTimersAsync()
      expect(save.mock.calls.filter(([, , , kept]) => kept === null)).toHaveLength(2)
    })

    it('comes back when it could not be kept', async () => {
      hear()
      composer.startEdit(mine('helo'))
      composer.write('hello')
      api.refusal = 'storage'
      expect(await composer.send()).toBe(false)
      expect(composer.editing?.id).toBe('m1')
      expect(composer.text).toBe('hello')
    })

    it('to the same text is nothing', async () => {
      hear()
      composer.startEdit(mine('helo'))
      composer.write('helo ')
      expect(await composer.send()).toBe(true)
      expect(api.actions).toEqual([])
      expect(composer.editing).toBeNull()
    })

    it('to nothing is not sent, nor one that is too long: both stay', async () => {
      hear()
      composer.startEdit(mine('helo'))
      for (const text of [' ', 'x'.repeat(16_385)]) {
        composer.write(text)
        expect(await composer.send()).toBe(false)
        expect(composer.editing?.written.text).toBe(text)
      }
      expect(api.actions).toEqual([])
    })

    it('of what another device changed meanwhile waits until the person chose', async () => {
      hear()
      composer.startEdit(mine('helo'))
      composer.write('hello')
      hear({ edits: [edit({ now: 'theirs' })] })
      expect(composer.isOvertaken).toBe(true)
      expect(await composer.send(), 'nothing is overwritten silently').toBe(false)
      expect(composer.text, 'and nothing is lost').toBe('hello')
      await composer.insist()
      expect(api.actions).toEqual([{ type: 'editMessage', topic: 't', message: 'm1', from: 'theirs', text: 'hello' }])
    })

    it('can go on from what another device wrote', async () => {
      hear()
      composer.startEdit(mine('helo'))
      composer.write('hello')
      hear({ edits: [edit({ now: 'theirs' })] })
      composer.takeTheirs()
      expect(composer.isOvertaken).toBe(false)
      composer.write('theirs and mine')
      await composer.send()
      expect(api.actions).toMatchObject([{ from: 'theirs', text: 'theirs and mine' }])
    })

    it('of what was recalled meanwhile can be given up, and until then it stays', async () => {
      const save = edits()
      hear()
      composer.startEdit(mine('helo'))
      composer.write('hello')
      hear({ edits: [edit({ now: '', isRecalled: true })] })
      expect(composer.isOvertaken).toBe(true)
      expect(await composer.insist()).toBe(false)
      expect(composer.text).toBe('hello')
      composer.cancelEdit()
      await vi.runAllTimersAsync()
      expect(save).toHaveBeenLastCalledWith('a', 't', 'm1', null)
    })

    it('in which nothing was written yet follows what the message says, and goes with it', () => {
      hear()
      composer.startEdit(mine('helo'))
      hear({ edits: [edit({ text: 'helo', now: 'theirs' })] })
      expect(composer.isOvertaken).toBe(false)
      expect(composer.text).toBe('theirs')
      composer.write(' ')
      hear({ edits: [edit({ text: ' ', now: '', isRecalled: true })] })
      expect(composer.editing, 'it was emptied and then recalled').toBeNull()
    })

    it('waits while something is answered, and is there again afterwards', async () => {
      hear()
      composer.startEdit(mine('helo'))
      composer.write('hello')
      composer.startReply(message('m9', 9, ''))
      expect(composer.editing).toBeNull()
      expect(composer.hasEditAside).toBe(true)
      composer.write('an answer')
      await composer.send()
      expect(api.actions).toMatchObject([{ type: 'sendMessage', replyTo: 'm9' }])
      expect(composer.text).toBe('hello')
    })

    it('of another message does not take the place of one that is begun', async () => {
      hear()
      composer.startEdit(mine('helo'))
      composer.write('hello')
      composer.startEdit(mine('wrold', 'm2'))
      composer.write('world')
      await composer.send()
      expect(composer.editing?.id).toBe('m1')
      expect(composer.text).toBe('hello')
    })

    it('leaves a mention alone that is not touched, whatever the person is called now', async () => {
      hear()
      composer.startEdit(mine(`ask <@${ANN}>`))
      expect(composer.text).toBe('ask @阿澈')
      composer.write('ask @阿澈!', 8)
      await composer.send()
      expect(api.actions).toMatchObject([{ from: `ask <@${ANN}>`, text: `ask <@${ANN}>!` }])
    })
  })
})
