import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StandIn } from '../testing/stand-in'
import { message } from '../testing/views'
import { ComposerState } from './composer.svelte'

describe('the composer', () => {
  let api: StandIn
  let failures: unknown[]
  let composer: ComposerState
  beforeEach(() => {
    vi.useFakeTimers()
    localStorage.clear()
    api = new StandIn()
    failures = []
    composer = new ComposerState(api, 'a', 't', (thrown) => failures.push(thrown))
  })
  afterEach(() => void vi.useRealTimers())

  it('stores the draft soon after the last key, with mentions as ids', async () => {
    const save = vi.spyOn(api, 'saveDraft')
    composer.addName('7', '阿澈')
    composer.write('问 @阿澈')
    composer.write('问 @阿澈 一下')
    expect(save).not.toHaveBeenCalled()
    vi.advanceTimersByTime(300)
    expect(save.mock.calls).toEqual([['a', 't', { text: '问 <@7> 一下', replyTo: null }]])
  })

  it('restores a draft with its reply, and names people after a restart', () => {
    composer.addName('7', '阿澈')
    const later = new ComposerState(api, 'a', 't', () => undefined)
    later.restore({ text: 'hi <@7>', replyTo: 'm1' }, () => message('m1', 1, ''))
    expect(later.text).toBe('hi @阿澈')
    expect(later.reply).toEqual({ id: 'm1', author: '林间鹿' })
  })

  it('does not let a late draft overwrite what was typed', () => {
    composer.write('typed')
    composer.restore({ text: 'old', replyTo: null }, () => undefined)
    expect(composer.text).toBe('typed')
  })

  it('tries a draft that could not be stored again, and says so once', async () => {
    const save = vi.spyOn(api, 'saveDraft').mockRejectedValue(new Error('the disk is full'))
    for (const text of ['half', 'half a', 'half a thought']) {
      composer.write(text)
      await vi.advanceTimersByTimeAsync(300)
    }
    expect(failures, 'one note for three tries').toHaveLength(1)
    save.mockResolvedValue(null)
    composer.leave()
    expect(save, 'nothing was typed since, and it is not stored yet').toHaveBeenCalledTimes(4)
    expect(save).toHaveBeenLastCalledWith('a', 't', { text: 'half a thought', replyTo: null })
  })

  it('stores the draft at once on leaving, and not when nothing changed', () => {
    const save = vi.spyOn(api, 'saveDraft')
    composer.leave()
    expect(save).not.toHaveBeenCalled()
    composer.write('half a thought')
    composer.leave()
    expect(save).toHaveBeenCalledOnce()
  })

  it('sends what was written and is empty', async () => {
    composer.addName('7', 'Ann')
    composer.write(' @Ann look ')
    await composer.send()
    expect(api.actions).toEqual([{ type: 'sendMessage', topic: 't', text: '<@7> look', replyTo: null }])
    expect(composer.text).toBe('')
  })

  it('gives the text back when it could not be kept', async () => {
    api.refusal = 'storage'
    composer.write('precious')
    await composer.send()
    expect(composer.text).toBe('precious')
    expect(failures).toHaveLength(1)
  })

  it('does not send nothing, nor too much', async () => {
    composer.write('  \n ')
    expect(composer.canSend).toBe(false)
    composer.write('林'.repeat(6000))
    expect(composer.isTooLong).toBe(true)
    await composer.send()
    expect(api.actions).toEqual([])
  })

  it('edits, and gives back what was being written before', async () => {
    composer.write('unfinished')
    composer.startEdit(message('m1', 1, 'helo', { isMine: true }))
    expect(composer.text).toBe('helo')
    composer.write('hello')
    await composer.send()
    expect(api.actions).toEqual([{ type: 'editMessage', topic: 't', message: 'm1', text: 'hello' }])
    expect(composer.text).toBe('unfinished')
  })
})
